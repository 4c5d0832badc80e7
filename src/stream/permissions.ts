import {
  auditSubject,
  consumerName,
  limitsSubject,
  maxDeliveriesSubjects,
  rateLimitsSubject,
  republishSubject,
  rolesStatusSubject,
  routesConsumerName,
  routesStreamName,
  routesSubjects,
  streamName,
  telemetrySubjects,
} from './subjects.ts';

/** Subjects a user of NATS may publish to and subscribe to; it may answer whoever asks it. */
export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

export const natsUsers = [
  'gateway',
  'mqtt',
  'mqtt-bridge',
  'worker',
  'delivery',
  'console',
  'admin',
] as const;
export type NatsUser = (typeof natsUsers)[number];

const looking = [
  ...[streamName, routesStreamName].map((stream) => `$JS.API.STREAM.INFO.${stream}`),
  `$JS.API.CONSUMER.INFO.${streamName}.${consumerName}`,
  `$JS.API.CONSUMER.INFO.${routesStreamName}.${routesConsumerName}`,
];

/** Pull, acknowledge, and make the consumer anew where a killed server has lost what was acknowledged. */
function workingOff(stream: string, consumer: string): string[] {
  return [
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    `$JS.API.CONSUMER.DELETE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${consumer}`,
    `$JS.ACK.${stream}.${consumer}.>`,
    // With the domain and the account's hash before them: what newer servers write.
    `$JS.ACK.*.*.${stream}.${consumer}.>`,
  ];
}

const door: NatsPermissions = {
  publish: [telemetrySubjects, ...looking],
  subscribe: ['tributary.canary.*', 'tributary.settled.>', auditSubject, rolesStatusSubject],
};

/**
 * What each role needs, and no more. Streams are made by `admin`, with `tributary topology`. Answers arrive below an
 * inbox of the role's own (`inboxPrefix`): no role can listen to what another was answered, the worker's messages of
 * TELEMETRY among it.
 */
const permissions: Readonly<Record<Exclude<NatsUser, 'admin'>, NatsPermissions>> = {
  gateway: { ...door, publish: [...door.publish, rateLimitsSubject] },
  mqtt: { ...door, subscribe: [...door.subscribe, republishSubject] },
  'mqtt-bridge': door,
  worker: {
    publish: [
      ...looking,
      ...workingOff(streamName, consumerName),
      routesSubjects,
      'readings.>',
      'tributary.canary.*',
      'tributary.settled.>',
      limitsSubject,
      auditSubject,
    ],
    subscribe: [...maxDeliveriesSubjects, limitsSubject, rateLimitsSubject, rolesStatusSubject],
  },
  delivery: {
    publish: [
      ...looking,
      ...workingOff(routesStreamName, routesConsumerName),
      republishSubject,
      // Destinations on NATS lie below the tenants' own prefix; which stream holds one is asked for.
      'out.>',
      '$JS.API.STREAM.NAMES',
    ],
    subscribe: [...maxDeliveriesSubjects, rolesStatusSubject],
  },
  console: {
    publish: [...looking, rolesStatusSubject, rateLimitsSubject, 'readings.>'],
    subscribe: ['readings.>', auditSubject, rolesStatusSubject],
  },
};

export function permissionsOf(user: NatsUser): NatsPermissions {
  if (user === 'admin') return { publish: ['>'], subscribe: ['>'] };
  const { publish, subscribe } = permissions[user];
  return { publish, subscribe: [`_INBOX.${user}.>`, ...subscribe] };
}

/** Users as a part of nats-server's configuration. @param hashes bcrypt of each user's password */
export function natsUsersConfig(hashes: Readonly<Record<NatsUser, string>>): string {
  const users = natsUsers.map((user) => {
    const { publish, subscribe } = permissionsOf(user);
    return [
      `    {`,
      `      user: ${JSON.stringify(user)}, password: ${JSON.stringify(hashes[user])}`,
      `      permissions: {`,
      `        publish: { allow: ${list(publish)} }`,
      `        subscribe: { allow: ${list(subscribe)} }`,
      `        allow_responses: true`,
      `      }`,
      `    }`,
    ].join('\n');
  });
  return `authorization {\n  users: [\n${users.join('\n')}\n  ]\n}\n`;
}

function list(subjects: readonly string[]): string {
  return `[\n${subjects.map((subject) => `          ${JSON.stringify(subject)}`).join('\n')}\n        ]`;
}
