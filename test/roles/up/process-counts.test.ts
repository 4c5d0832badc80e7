import { expect, test } from 'bun:test';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { withProcessCounts } from '../../../src/roles/up/process-counts.ts';

const countsOn = (cores: number, environment: Record<string, string> = {}) => {
  const { gateways, workers } = withProcessCounts(parseConfig(environment), cores);
  return { gateways, workers };
};

test('a machine is given processes by its cores, and each kind at least once', () => {
  expect(countsOn(1)).toEqual({ gateways: 1, workers: 1 });
  expect(countsOn(2)).toEqual({ gateways: 1, workers: 1 });
  expect(countsOn(4)).toEqual({ gateways: 1, workers: 2 });
  expect(countsOn(16)).toEqual({ gateways: 4, workers: 8 });
});

test('what is configured stands, whatever the machine', () => {
  expect(countsOn(2, { TRIBUTARY_GATEWAYS: '3', TRIBUTARY_WORKERS: '5' })).toEqual({
    gateways: 3,
    workers: 5,
  });
});
