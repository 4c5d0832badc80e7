import Type, { type TProperties, type TSchema } from 'typebox';
import { type DeviceId, identifierRules, type TenantId } from '../model/identifiers.ts';

/** An object with these members and no others. */
export const closed = <P extends TProperties>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);

/** One of a few words. */
export const oneOf = <const W extends readonly string[]>(words: W, description?: string) =>
  Type.Unsafe<W[number]>(
    Type.String({ enum: [...words], ...(description === undefined ? {} : { description }) }),
  );

export const tenantIdSchema = Type.Unsafe<TenantId>(
  Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$', description: identifierRules.tenant_id }),
);
export const deviceIdSchema = Type.Unsafe<DeviceId>(
  Type.String({ pattern: '^[A-Za-z0-9._:-]{1,128}$', description: identifierRules.device_id }),
);
export const siteIdSchema = Type.String({ minLength: 1, maxLength: 128 });

/** A moment of a query or body, and of an answer: text that PostgreSQL reads without losing its microseconds. */
export const timeSchema = Type.String({ format: 'date-time', description: 'RFC 3339' });
/** A number of the database, as text of a path. */
export const idInPath = Type.String({ pattern: '^[0-9]{1,18}$' });
/** Any JSON value. */
export const anyJson = Type.Unknown();
export const count = Type.Integer({ minimum: 0 });

/** Path parameters of what belongs to a tenant, and to a device. */
export const ofTenant = { tenant_id: tenantIdSchema };
export const ofDevice = { tenant_id: tenantIdSchema, device_id: deviceIdSchema };

/** Query parameters of every list. */
export const listQuery = {
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50, description: 'items at most' }),
  cursor: Type.Optional(Type.String({ maxLength: 2_048, description: '`next` of the page before' })),
};
export const rangeQuery = {
  from: Type.Optional(Type.String({ format: 'date-time', description: 'not before this moment' })),
  to: Type.Optional(Type.String({ format: 'date-time', description: 'before this moment' })),
};

/** A page of a list. */
export const listOf = <S extends TSchema>(item: S) =>
  closed({ items: Type.Array(item), next: nullable(Type.String()) });

const rate = Type.Number({ exclusiveMinimum: 0, maximum: 10_000_000 });
const burst = Type.Integer({ minimum: 1, maximum: 100_000_000 });
const sensors = Type.Integer({ minimum: 0, maximum: 100_000 });

/** In bodies: absent stays as it is (or takes the default), null goes back to the default. */
export const deviceLimitsInput = {
  rate_per_second: Type.Optional(nullable(rate)),
  burst: Type.Optional(nullable(burst)),
  max_sensors: Type.Optional(nullable(sensors)),
};
export const tenantLimitsInput = {
  rate_per_second: Type.Optional(nullable(rate)),
  burst: Type.Optional(nullable(burst)),
  device_rate_per_second: Type.Optional(nullable(rate)),
  device_burst: Type.Optional(nullable(burst)),
};
