import type { ProvenRole } from './proven-role.ts';
import { startProxy, type TcpProxy } from './proxy.ts';

/** The proxies of a stack; all members of a kind share theirs, except that each door has one of its own. */
export interface Links {
  /** Ports in front of the gateways and listeners, in their order. */
  readonly gateways: readonly number[];
  readonly mqtts: readonly number[];
  /** Ports that roles of a kind reach the servers by. */
  readonly nats: Readonly<Record<ProvenRole, number>>;
  readonly postgres: Readonly<Record<ProvenRole, number>>;
  /** Names as `worker–nats`. */
  readonly byName: ReadonlyMap<string, readonly TcpProxy[]>;
  close(): Promise<void>;
}

export interface LinkedPorts {
  readonly natsPort: number;
  readonly postgresPort: number;
  readonly gateway: readonly number[];
  readonly mqtt: readonly number[];
}

export async function startLinks(ports: LinkedPorts): Promise<Links> {
  const to = (port: number) => startProxy({ port });
  const [gateways, mqtts] = await Promise.all([
    Promise.all(ports.gateway.map(to)),
    Promise.all(ports.mqtt.map(to)),
  ]);
  const nats = {
    gateway: await to(ports.natsPort),
    mqtt: await to(ports.natsPort),
    worker: await to(ports.natsPort),
  };
  const postgres = {
    gateway: await to(ports.postgresPort),
    mqtt: await to(ports.postgresPort),
    worker: await to(ports.postgresPort),
  };
  const byName = new Map<string, readonly TcpProxy[]>([
    ['client–gateway', gateways],
    ['client–mqtt', mqtts],
    ['gateway–nats', [nats.gateway]],
    ['mqtt–nats', [nats.mqtt]],
    ['worker–nats', [nats.worker]],
    ['gateway–postgres', [postgres.gateway]],
    ['mqtt–postgres', [postgres.mqtt]],
    ['worker–postgres', [postgres.worker]],
  ]);
  return {
    gateways: gateways.map(({ port }) => port),
    mqtts: mqtts.map(({ port }) => port),
    nats: {
      gateway: nats.gateway.port,
      mqtt: nats.mqtt.port,
      worker: nats.worker.port,
      delivery: ports.natsPort,
      'mqtt-bridge': ports.natsPort,
    },
    postgres: {
      gateway: postgres.gateway.port,
      mqtt: postgres.mqtt.port,
      worker: postgres.worker.port,
      delivery: ports.postgresPort,
      'mqtt-bridge': ports.postgresPort,
    },
    byName,
    close: async () => {
      await Promise.all([...byName.values()].flat().map((proxy) => proxy.close()));
    },
  };
}
