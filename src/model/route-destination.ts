import Type, { type Static } from 'typebox';
import { Errors } from 'typebox/value';
import { ingestTopic, msgTypes } from './identifiers.ts';
import { RouteFault } from './route-fault.ts';

/**
 * Where a route delivers to, as it stands in `routes.destination` and in what the CLI takes. Nothing in it is secret;
 * secrets are apart (`RouteSecrets`), encrypted.
 */

const strict = { additionalProperties: false };

export const webhookSchema = Type.Object(
  {
    kind: Type.Literal('webhook'),
    url: Type.String({ minLength: 1, maxLength: 2_048 }),
    method: Type.Optional(Type.Union([Type.Literal('POST'), Type.Literal('PUT')])),
    /** Sent with each request. Values that are secret belong to the secrets. */
    headers: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 1_024 }))),
    /** Several jobs in one request, as a JSON array. */
    batch: Type.Optional(
      Type.Object(
        {
          max_messages: Type.Integer({ minimum: 2, maximum: 1_000 }),
          max_wait_ms: Type.Integer({ minimum: 0, maximum: 60_000 }),
        },
        strict,
      ),
    ),
  },
  strict,
);

export const mqttSchema = Type.Object(
  {
    kind: Type.Literal('mqtt'),
    /** `mqtt://host:1883`, `mqtts://host:8883`; absent: our own listener. */
    url: Type.Optional(Type.String({ minLength: 1, maxLength: 2_048 })),
    /** A template: `{tenant_id}`, `{device_id}`, `{msg_type}`. */
    topic: Type.String({ minLength: 1, maxLength: 512 }),
    username: Type.Optional(Type.String({ maxLength: 256 })),
  },
  strict,
);

export const natsSchema = Type.Object(
  {
    kind: Type.Literal('nats'),
    /** A template, as the topic; it lies under `out.{tenant_id}.`. */
    subject: Type.String({ minLength: 1, maxLength: 256 }),
  },
  strict,
);

export type WebhookDestination = Readonly<Static<typeof webhookSchema>>;
export type MqttDestination = Readonly<Static<typeof mqttSchema>>;
export type NatsDestination = Readonly<Static<typeof natsSchema>>;
export type Destination = WebhookDestination | MqttDestination | NatsDestination;

const schemaOf = { webhook: webhookSchema, mqtt: mqttSchema, nats: natsSchema } as const;

/**
 * @param value as parsed JSON
 * @throws RouteFault for what is no destination, or one that the tenant must not have
 */
export function parseDestination(value: unknown, tenantId: string): Destination {
  const kind = kindOf(value);
  if (kind === undefined) throw fault('A destination has the kind webhook, mqtt or nats');
  const [error] = Errors(schemaOf[kind], value);
  if (error !== undefined) {
    const where = error.instancePath === '' ? 'The destination' : error.instancePath.slice(1);
    throw fault(`${where} of a ${kind} destination ${error.message}`);
  }
  const destination = value as Destination;
  if (destination.kind === 'webhook') checkWebhook(destination);
  else if (destination.kind === 'mqtt') checkMqtt(destination, tenantId);
  else checkNats(destination, tenantId);
  return destination;
}

function kindOf(value: unknown): keyof typeof schemaOf | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  const { kind } = value;
  return kind === 'webhook' || kind === 'mqtt' || kind === 'nats' ? kind : undefined;
}

function fault(message: string, position?: number): RouteFault {
  return new RouteFault('destination', message, position);
}

function checkWebhook({ url, headers }: WebhookDestination): void {
  checkUrl(url, ['http:', 'https:']);
  for (const [name, value] of Object.entries(headers ?? {})) checkHeader(name, value);
}

/** @throws RouteFault for a header that a webhook must not set; used for secret ones too. */
export function checkHeader(name: string, value: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name))
    throw fault(`${JSON.stringify(name)} is no header name`);
  if (!/^[\x20-\x7e\t]*$/.test(value)) throw fault(`The value of the header ${name} is not printable ASCII`);
  const lower = name.toLowerCase();
  if (ownHeaders.has(lower) || lower.startsWith('webhook-'))
    throw fault(`The header ${name} is set by Tributary itself`);
}

const ownHeaders: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'accept-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'proxy-authorization',
  'proxy-connection',
]);

function checkUrl(text: string, protocols: readonly string[]): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.includes(url.protocol) || url.hostname === '')
    throw fault(
      `${JSON.stringify(text)} is no address: it begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
    );
  if (url.username !== '' || url.password !== '')
    throw fault('The address holds a user or password: it would be shown; give them as secrets');
  if (url.hash !== '') throw fault('The address holds a fragment (#…), which is never sent');
}

/** What a template may hold. A change of status has the msg_type `status`. */
export interface TemplateValues {
  readonly tenant_id: string;
  readonly device_id: string;
  readonly msg_type: string;
}

const placeholder = /\{([^{}]*)\}/g;
const placeholderNames: readonly string[] = ['tenant_id', 'device_id', 'msg_type'];

function checkMqtt({ url, topic }: MqttDestination, tenantId: string): void {
  if (url !== undefined) checkUrl(url, ['mqtt:', 'mqtts:']);
  checkPlaceholders(topic);
  const bare = topic.replace(placeholder, 'x');
  const forbidden = /[+#\p{Cc}]|^\$/u.exec(bare);
  if (forbidden !== null)
    throw fault('A topic holds no wildcard and no control character, and begins without $');
  if (topic.split('/').length > 16) throw fault('A topic has at most 16 levels');
  if (mayBeIngestTopic(topic))
    throw fault(
      'The topic could be one that devices send on: tenant/…/device/…/telemetry would come in again',
    );
  // Other tenants' devices listen on our listener too.
  const isOwn = topic.startsWith('tenant/{tenant_id}/') || topic.startsWith(`tenant/${tenantId}/`);
  if (url === undefined && !isOwn)
    throw fault(
      `On our own listener a topic begins with tenant/{tenant_id}/: devices of ${tenantId} can hear that`,
    );
}

function checkNats({ subject }: NatsDestination, tenantId: string): void {
  checkPlaceholders(subject);
  const prefix = [`out.{tenant_id}.`, `out.${tenantId}.`].find((each) => subject.startsWith(each));
  if (prefix === undefined) throw fault('A subject lies under out.{tenant_id}.');
  const bare = subject.replace(placeholder, 'x');
  if (!bare.split('.').every((token) => /^[A-Za-z0-9_%=/:-]+$/.test(token)))
    throw fault('A subject is made of tokens of A-Z a-z 0-9 _ % = / : -, parted by dots');
}

function checkPlaceholders(template: string): void {
  for (const match of template.matchAll(placeholder)) {
    if (!placeholderNames.includes(match[1] ?? ''))
      throw fault(
        `${match[0]} is no placeholder: there are ${placeholderNames.map((n) => `{${n}}`).join(', ')}`,
        match.index,
      );
  }
  const brace = /[{}]/.exec(template.replace(placeholder, (text) => 'x'.repeat(text.length)));
  if (brace !== null) throw fault('A brace belongs to a placeholder', brace.index);
}

/** Whether some device's values make an ingest topic of the template: values add no levels. */
function mayBeIngestTopic(template: string): boolean {
  const levels = template.split('/');
  const wanted = ingestTopic('x', 'x', 'x').split('/');
  if (levels.length !== wanted.length) return false;
  const lasts: readonly string[] = msgTypes;
  const can = (level: string, texts: readonly string[]) => {
    const pattern = level
      .split(placeholder)
      // Split by a group: every other part is a placeholder's name.
      .map((part, index) => (index % 2 === 1 ? '.*' : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
      .join('')
      // One after the other they would be tried in every way to share the text: seconds, for forty of them.
      .replace(/(?:\.\*)+/g, '.*');
    return texts.some((text) => new RegExp(`^${pattern}$`).test(text));
  };
  return can(levels[0] ?? '', ['tenant']) && can(levels[2] ?? '', ['device']) && can(levels[4] ?? '', lasts);
}

/** @returns the topic; undefined where it is one that must not be published: the caller gives the job up. */
export function renderTopic(template: string, values: TemplateValues): string | undefined {
  const topic = render(template, values, (text) => text.replace(/[/+#\p{Cc}]/gu, encodeURIComponent));
  const levels = topic.split('/');
  const isIngest =
    levels.length === 5 &&
    levels[0] === 'tenant' &&
    levels[2] === 'device' &&
    msgTypes.some((t) => t === levels[4]);
  return isIngest || topic.startsWith('$') || topic === '' ? undefined : topic;
}

/** @returns the subject, always under `out.{tenant_id}.`; undefined where it is not. */
export function renderSubject(template: string, values: TemplateValues): string | undefined {
  const subject = render(template, values, encodeSubjectToken);
  return subject.startsWith(`out.${values.tenant_id}.`) && !/[\s*>]|\.\.|\.$/.test(subject)
    ? subject
    : undefined;
}

/** What parts or widens a subject is written `%2E` and the like; an id holds no `%` of its own. */
function encodeSubjectToken(text: string): string {
  return text.replace(
    /[.*>\s]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function render(template: string, values: TemplateValues, encode: (text: string) => string): string {
  return template.replace(placeholder, (text, name: string) =>
    placeholderNames.includes(name) ? encode(values[name as keyof TemplateValues]) : text,
  );
}
