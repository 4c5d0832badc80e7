import mqtt from 'mqtt';
import { deviceAt, type FleetSpec } from './fleet.ts';

export interface ReconnectingMqtt {
  /** PUBACKs so far. */
  readonly acknowledged: number;
  stop(): void;
}

/** Clients as devices have them: they come back when they are disconnected, and send again what has no PUBACK. */
export function startReconnectingMqtt(
  port: number,
  fleet: FleetSpec,
  { clients, window }: { readonly clients: number; readonly window: number },
): ReconnectingMqtt {
  const state = { acknowledged: 0, stopped: false };
  const running = Array.from({ length: clients }, (_, index) => {
    const { tenantId, deviceId, siteId, token } = deviceAt(fleet, index);
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
      username: `${tenantId}/${deviceId}`,
      password: token,
      reconnectPeriod: 1_000,
    });
    client.on('error', () => {});
    const topic = `tenant/${tenantId}/device/${deviceId}/telemetry`;
    const body = JSON.stringify({ site_id: siteId, metrics: { temp: 21.5, humidity: 40, battery: 3.7 } });
    const send = () => {
      if (state.stopped) return;
      client.publish(topic, body, { qos: 1 }, (error) => {
        if (error === undefined || error === null) state.acknowledged += 1;
        setImmediate(send);
      });
    };
    for (let open = 0; open < window; open += 1) send();
    return client;
  });
  return {
    get acknowledged() {
      return state.acknowledged;
    },
    stop() {
      state.stopped = true;
      for (const client of running) client.end(true);
    },
  };
}
