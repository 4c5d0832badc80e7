import type { SettingName } from '../../config/settings.ts';

/** What the workers judge by; a replay has to judge by the same. */
export const judgingSettings: readonly SettingName[] = [
  'maxBodyBytes',
  'maxMetrics',
  'maxSensors',
  'maxAheadMs',
  'retentionDays',
  'staleAfterMs',
  'offlineAfterMs',
];
