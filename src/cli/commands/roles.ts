import type { Command } from 'commander';
import { startConsole } from '../../roles/console.ts';
import { startDeliveryRole } from '../../roles/delivery.ts';
import { startGateway } from '../../roles/gateway.ts';
import { startMqtt } from '../../roles/mqtt.ts';
import { startMqttBridgeRole } from '../../roles/mqtt-bridge.ts';
import { startWorker } from '../../roles/worker.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { locate } from '../locate.ts';
import { postgresFailure } from '../postgres-failure.ts';
import { type RoleName, roleNames } from '../role-names.ts';
import { runRole, type StartRole } from '../run-role.ts';
import { standBack } from '../stand-back.ts';

/** Longer than any publish or transaction may take; what is not done by then is delivered again. */
const drainTimeoutMs = 15_000;

interface RoleCommand {
  readonly summary: string;
  readonly start: StartRole;
  /** Works on what waits: the doors come first. */
  readonly standsBack?: true;
}

const roles: Readonly<Record<RoleName, RoleCommand>> = {
  gateway: { summary: 'run the HTTP door', start: startGateway },
  mqtt: { summary: 'run the MQTT door', start: startMqtt },
  'mqtt-bridge': { summary: 'take what devices publish at another broker', start: startMqttBridgeRole },
  worker: { summary: 'run a worker: judge, settle, acknowledge', start: startWorker, standsBack: true },
  delivery: {
    summary: 'deliver what routes matched, with retries',
    start: startDeliveryRole,
    standsBack: true,
  },
  console: { summary: 'run the API and the console’s pages', start: startConsole },
};

/**
 * The roles, each a process of its own that may run any number of times. One that is started by hand joins the running
 * instance, as every other command does.
 */
export function addRoleCommands(program: Command, context: CliContext): void {
  for (const name of roleNames) {
    const { summary, start, standsBack } = roles[name];
    defineCommand(program, {
      usage: name,
      summary,
      details: 'SIGTERM or Ctrl-C ends it in order: what is under way is finished first, 15 s at most.',
      examples: [name, `${name} --nats-url nats://nats:4222 --log-level debug`],
      settings: 'all',
      json: false,
    }).action(async (_options: unknown, command: Command) => {
      const { config, signals } = invocationOf(context, command);
      if (standsBack) standBack(config.niceness);
      const database = locate('database', config);
      const addresses = { databaseUrl: database.url, natsUrl: locate('nats', config).url };
      const role = {
        name,
        start,
        config: Object.freeze({ ...config, ...addresses }),
        signals,
        drainTimeoutMs,
      };
      try {
        await runRole(role);
      } catch (error) {
        throw postgresFailure(error, database.url, database.origin) ?? error;
      }
    });
  }
}
