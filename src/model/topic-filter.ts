import { msgTypes } from './identifiers.ts';
import { RouteFault } from './route-fault.ts';

const maxFilterLength = 512;

/**
 * Checks a route's topic filter: MQTT's wildcards, `+` for one level and `#` for all that follow.
 * @throws RouteFault with the position of what is wrong, also for a filter that no topic of the tenant can match
 */
export function checkTopicFilter(filter: string, tenantId: string): void {
  const fault = (message: string, position?: number) => new RouteFault('topic_filter', message, position);
  if (filter === '') throw fault(`The filter is empty: use # for every message of ${tenantId}`);
  if (filter.length > maxFilterLength)
    throw fault(`The filter has ${filter.length} characters, at most ${maxFilterLength} are allowed`);
  const levels = filter.split('/');
  let position = 0;
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || index !== levels.length - 1))
      throw fault('# stands alone, as the last level', position + level.indexOf('#'));
    if (level.includes('+') && level !== '+')
      throw fault('+ stands for a whole level', position + level.indexOf('+'));
    position += level.length + 1;
  }
  const misfit = firstMisfit(levels, tenantId);
  if (misfit === undefined) return;
  const at = levels.slice(0, misfit).reduce((sum, level) => sum + level.length + 1, 0);
  throw fault(
    `The filter matches no topic of ${tenantId}: they are tenant/${tenantId}/device/{device_id}/{msg_type}, with the ` +
      `msg_type ${lastLevels.join(', ')}`,
    Math.min(at, filter.length - 1),
  );
}

const lastLevels: readonly string[] = [...msgTypes, 'status'];

/** The index of the first level that keeps the filter from matching any topic; undefined: it can match. */
function firstMisfit(levels: readonly string[], tenantId: string): number | undefined {
  const fits: readonly ((level: string) => boolean)[] = [
    (level) => level === 'tenant',
    (level) => level === tenantId,
    (level) => level === 'device',
    (level) => /^[A-Za-z0-9._:-]{1,128}$/.test(level),
    (level) => lastLevels.includes(level),
  ];
  for (const [index, fit] of fits.entries()) {
    const level = levels[index];
    if (level === '#') return undefined;
    if (level === undefined) return index - 1;
    if (level !== '+' && !fit(level)) return index;
  }
  const beyond = levels[fits.length];
  return beyond === undefined || beyond === '#' ? undefined : fits.length;
}
