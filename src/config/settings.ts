import type { Static, TSchema } from 'typebox';
import { bridgeSettings } from './settings/bridge.ts';
import { consoleSettings } from './settings/console.ts';
import { deliverySettings } from './settings/delivery.ts';
import { doorSettings } from './settings/doors.ts';
import { keptSettings } from './settings/kept.ts';
import { placeSettings } from './settings/places.ts';
import { processSettings } from './settings/processes.ts';
import { securitySettings } from './settings/security.ts';
import type { Setting } from './settings/setting.ts';
import { streamSettings } from './settings/stream.ts';
import { tracingSettings } from './settings/tracing.ts';
import { workerSettings } from './settings/worker.ts';

export type { Setting } from './settings/setting.ts';

/**
 * Every setting of every role, once: its environment variable, type, bounds, default and description.
 * Its flag is its name in kebab case. `docs/reference/configuration.md` is generated from this table.
 */
export const settings = {
  ...placeSettings,
  ...doorSettings,
  ...bridgeSettings,
  ...streamSettings,
  ...workerSettings,
  ...keptSettings,
  ...securitySettings,
  ...deliverySettings,
  ...consoleSettings,
  ...tracingSettings,
  ...processSettings,
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

type Value<S> = S extends Setting<infer T extends TSchema> ? Static<T> : never;
/** Names of settings without a default. */
type OptionalName =
  | 'natsUrl'
  | 'natsMonitorUrl'
  | 'databaseUrl'
  | 'receiptKey'
  | 'secretsKey'
  | 'allowDestinations'
  | 'bridgeUrl'
  | 'bridgeUsername'
  | 'bridgePassword'
  | 'bridgeTlsCa'
  | 'bridgeTlsCert'
  | 'bridgeTlsKey'
  | 'bridgeClientId'
  | 'natsCreds'
  | 'natsCa'
  | 'natsCert'
  | 'natsKey'
  | 'mqttTlsCert'
  | 'mqttTlsKey'
  | 'mqttTlsClientCa'
  | 'publicHttpUrl'
  | 'publicMqttUrl'
  | 'otlpUrl'
  | 'otlpHeaders';

/** All settings, checked and frozen. */
export type Config = {
  readonly [K in Exclude<SettingName, OptionalName>]: Value<(typeof settings)[K]>;
} & {
  readonly [K in OptionalName]: Value<(typeof settings)[K]> | undefined;
};
