import type { Examples } from './example.ts';

const day = { from: '2026-11-24T00:00:00Z', to: '2026-11-25T00:00:00+00:00' };

export const telemetryExamples: Examples = {
  listTelemetry: { query: { ...day, metric: ['temp', 'state'], order: 'asc', limit: '10' }, status: 200 },
  latestTelemetry: { status: 200 },
  deviceSeries: { query: { ...day, metric: 'temp', points: '500' }, status: 200 },
  deviceGaps: { query: day, status: 200 },
  followReadings: { query: { device_id: 'own-1', metric: ['temp', 'none'] }, status: 200 },
  followAllReadings: { status: 200 },
};
