import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseExactJson } from '../../src/model/exact-json.ts';
import { unitOf, valueTypeOf } from '../../src/model/sensor-inference.ts';

test('the type goes by the value; null, objects and arrays are no sensor’s value', () => {
  expect(valueTypeOf(1)).toBe('number');
  expect(valueTypeOf(parseExactJson('1e400'))).toBe('number');
  expect(valueTypeOf(false)).toBe('boolean');
  expect(valueTypeOf('')).toBe('string');
  for (const value of [null, undefined, {}, []]) expect(valueTypeOf(value)).toBeUndefined();
});

test('the unit goes by the key’s ending', () => {
  const units = {
    temp_c: '°C',
    outdoorTempF: '°F',
    humidity_pct: '%',
    battery_v: 'V',
    'battery.mv': 'mV',
    pressure_hpa: 'hPa',
    PRESSURE_HPA: 'hPa',
    latency_ms: 'ms',
    'rssi-dbm': 'dBm',
    uptime_s: 's',
    distance_m: 'm',
  };
  for (const [key, unit] of Object.entries(units)) expect(`${key} ${unitOf(key)}`).toBe(`${key} ${unit}`);
});

test('where the key does not say, there is no unit', () => {
  for (const key of [
    'temp',
    'humidity',
    'zone_c',
    'sensor_a',
    'temp_min',
    'ms',
    '',
    'x_',
    'x_constructor',
    '_c',
    'x___proto__',
  ]) {
    expect(`${key} ${unitOf(key)}`).toBe(`${key} undefined`);
  }
});

test('any key and any value has an answer', () => {
  fc.assert(
    fc.property(fc.string(), fc.anything(), (key, value) => {
      expect(unitOf(key)).not.toBe('');
      expect([undefined, 'number', 'boolean', 'string']).toContain(valueTypeOf(value));
    }),
  );
});
