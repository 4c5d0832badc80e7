import { type Command, Option } from 'commander';
import type { Config } from '../../config/settings.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { type RoleName, roleNames } from '../role-names.ts';

const timeoutMs = 3_000;

export function addHealthcheckCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'healthcheck',
    summary: 'ask a role on this machine whether it is well; for containers',
    details:
      'Asks the port that the same settings give the role: /readyz by default, which fails while what it needs to ' +
      'answer honestly is away. Exit code 69 when it is not well or does not answer.',
    examples: ['healthcheck gateway', 'healthcheck worker --path /healthz'],
    settings: ['httpPort', 'consolePort', 'healthPort'],
  })
    .argument('<role>', roleNames.join(', '))
    .addOption(
      new Option('--path <path>', 'what is asked').default('/readyz').choices(['/readyz', '/healthz']),
    )
    .action(async (role: string, { path }: { readonly path: string }, self: Command) => {
      const { config, terminal, json } = invocationOf(context, self);
      const url = `http://127.0.0.1:${portOf(role, config)}${path}`;
      const { status, text } = await ask(url);
      if (json) terminal.out(toJson({ url, status, is_well: status === 200 }));
      if (status !== 200) {
        throw new CliError(
          `${role} is not well: ${url} answered ${status} ${text}`.trim(),
          exitCodes.unavailable,
        );
      }
      if (!json) terminal.out(`${role} is well.`);
    });
}

function portOf(role: string, { httpPort, consolePort, healthPort }: Config): number {
  if (!roleNames.some((name) => name === role))
    throw new CliError(`${role} is no role: name one of ${roleNames.join(', ')}.`, exitCodes.usage);
  const ports: Partial<Record<RoleName | 'console', number>> = { gateway: httpPort, console: consolePort };
  const port = ports[role as RoleName] ?? healthPort;
  if (port !== 0) return port;
  throw new CliError(
    `${role} answers nowhere: set TRIBUTARY_HEALTH_PORT for it and for this command.`,
    exitCodes.configuration,
  );
}

async function ask(url: string): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return { status: answer.status, text: (await answer.text()).slice(0, 200) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`${url} does not answer: ${why}`, exitCodes.unavailable, { cause: error });
  }
}
