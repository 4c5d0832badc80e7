import { InvalidArgumentError } from 'commander';
import {
  type DeviceId,
  identifierRules,
  isDeviceId,
  isTenantId,
  type TenantId,
} from '../model/identifiers.ts';
import { isRouteName, routeNameRule } from '../model/route.ts';

export function parseTenantId(text: string): TenantId {
  if (isTenantId(text)) return text;
  throw new InvalidArgumentError(`A tenant_id is ${identifierRules.tenant_id}.`);
}

export function parseDeviceId(text: string): DeviceId {
  if (isDeviceId(text)) return text;
  throw new InvalidArgumentError(`A device_id is ${identifierRules.device_id}.`);
}

export function parseRouteName(text: string): string {
  if (isRouteName(text)) return text;
  throw new InvalidArgumentError(`A route's name is ${routeNameRule}.`);
}

export function parseKeyName(text: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u.test(text)) return text;
  throw new InvalidArgumentError('A name has 1 to 64 letters, digits, spaces, dots, _, @ and -.');
}

export function parseSiteId(text: string): string {
  if (text !== '' && text.length <= 128) return text;
  throw new InvalidArgumentError('A site_id has 1 to 128 characters.');
}

/** A parser for whole numbers within bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
  };
}

/** A parser for numbers above zero. */
export function positiveNumber(maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value > 0 && value <= maximum) return value;
    throw new InvalidArgumentError(`Give a number above 0 and up to ${maximum}.`);
  };
}

export type LimitOption = number | 'default';

/** A parser for limits that can be taken away again with `default`. */
export function orDefault(parse: (text: string) => number): (text: string) => LimitOption {
  return (text) => (text === 'default' ? 'default' : parse(text));
}

/** As a change of the registry: absent stays as it is, null goes back to the default. */
export function limitChange<K extends string>(
  name: K,
  option: LimitOption | undefined,
): { readonly [name in K]?: number | null } {
  if (option === undefined) return {};
  return { [name]: option === 'default' ? null : option } as { readonly [name in K]: number | null };
}

/** A parser for one word out of a few, in any case of letters. */
export function choice<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Give one of ${words.join(', ')}.`);
  };
}
