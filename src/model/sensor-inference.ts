import { isRawNumber } from './exact-json.ts';

export type SensorValueType = 'number' | 'boolean' | 'string';

/** Endings that mean one unit whatever stands before them. Left out on purpose: `min` (minimum), `mb` (megabyte, millibar), `mw` (milli, mega). */
const unitOfEnding: Readonly<Record<string, string>> = {
  celsius: '°C',
  degc: '°C',
  fahrenheit: '°F',
  degf: '°F',
  kelvin: 'K',
  pct: '%',
  percent: '%',
  volt: 'V',
  volts: 'V',
  mv: 'mV',
  kv: 'kV',
  ma: 'mA',
  amps: 'A',
  watts: 'W',
  kw: 'kW',
  wh: 'Wh',
  kwh: 'kWh',
  kva: 'kVA',
  pa: 'Pa',
  hpa: 'hPa',
  kpa: 'kPa',
  mbar: 'mbar',
  psi: 'psi',
  mmhg: 'mmHg',
  lux: 'lx',
  lx: 'lx',
  db: 'dB',
  dba: 'dBA',
  dbm: 'dBm',
  ppm: 'ppm',
  ppb: 'ppb',
  ugm3: 'µg/m³',
  ns: 'ns',
  us: 'µs',
  ms: 'ms',
  sec: 's',
  secs: 's',
  seconds: 's',
  minutes: 'min',
  hours: 'h',
  mm: 'mm',
  cm: 'cm',
  km: 'km',
  kmh: 'km/h',
  kph: 'km/h',
  mps: 'm/s',
  rpm: 'rpm',
  hz: 'Hz',
  khz: 'kHz',
  mhz: 'MHz',
  kg: 'kg',
  lpm: 'L/min',
  deg: '°',
  bytes: 'B',
  kib: 'KiB',
  mib: 'MiB',
  gib: 'GiB',
};

/** A single letter is a unit only behind a word for what it measures: `temp_c` is, `zone_c` is not. */
const unitOfLetter: Readonly<Record<string, { readonly unit: string; readonly behind: RegExp }>> = {
  c: { unit: '°C', behind: /temp|dew/ },
  f: { unit: '°F', behind: /temp|dew/ },
  k: { unit: 'K', behind: /temp/ },
  v: { unit: 'V', behind: /batt|volt|supply/ },
  a: { unit: 'A', behind: /current|amp/ },
  w: { unit: 'W', behind: /power/ },
  s: { unit: 's', behind: /time|duration|interval|delay|latency|age/ },
  m: { unit: 'm', behind: /distance|depth|altitude|elevation|height|range/ },
};

/** `undefined` for null, objects and arrays, which are not a sensor's value. */
export function valueTypeOf(value: unknown): SensorValueType | undefined {
  if (typeof value === 'number' || isRawNumber(value)) return 'number';
  if (typeof value === 'boolean') return 'boolean';
  return typeof value === 'string' ? 'string' : undefined;
}

/**
 * What an unseen metric's key says of its unit, as people write it (`°C`, `%`, `hPa`), conservatively: a wrong unit is
 * worse than none, so `temp` and `humidity` alone have none. Keys are split at `_`, `-`, `.` and camel case (`tempC`,
 * `battery.mv`). It goes by the key alone: a sensor that says `"error"` first may send numbers later.
 */
export function unitOf(metric: string): string | undefined {
  const words = metric
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[_.-]/);
  const ending = words.pop() ?? '';
  // A key that is nothing but the ending (`pa`, `bytes`) names the metric, not its unit.
  if (words.length === 0) return undefined;
  const letter = own(unitOfLetter, ending);
  if (letter !== undefined) return letter.behind.test(words.join('_')) ? letter.unit : undefined;
  return own(unitOfEnding, ending);
}

/** `constructor` is a possible metric ending too. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
