import { type Command, Option } from 'commander';
import { withHeadroom } from '../../stream/headroom.ts';
import { checkTopology, ensureTopology, type TopologyReport, updateTopology } from '../../stream/topology.ts';
import { withNats } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { formatTable } from '../output/table.ts';

export function addTopologyCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'topology',
    summary: 'make the streams and consumers that are missing, and check all of them',
    details:
      'Where something that is there differs from the settings, this says how, and ends with exit ' +
      'code 1; --update changes it, and keeps the messages. `up` makes what is missing by itself.',
    examples: ['topology', 'topology --check --json', 'topology --update'],
    settings: [
      'natsUrl',
      'dataDir',
      'streamMaxBytes',
      'streamMaxPerTenant',
      'streamReplicas',
      'ackWaitMs',
      'maxAckPending',
    ],
  })
    .option('--check', 'change nothing, only compare')
    .addOption(new Option('--update', 'also change what differs').conflicts('check'))
    .action(async (options: { readonly check?: boolean; readonly update?: boolean }, self: Command) => {
      const invocation = invocationOf(context, self);
      const change = options.update === true ? updateTopology : ensureTopology;
      const visit = options.check === true ? checkTopology : change;
      const report = await withNats(invocation, (connection) =>
        visit(connection, withHeadroom(invocation.config)),
      );
      print(invocation, report);
      refuseFaults(report);
    });
}

function print({ terminal, json }: Invocation, report: TopologyReport): void {
  if (json) {
    terminal.out(toJson(report));
    return;
  }
  const rows = [
    ...report.streams.map((item) => ({ kind: 'stream', ...item })),
    ...report.consumers.map((item) => ({ kind: `consumer of ${item.stream}`, ...item })),
  ];
  const table = formatTable(
    [
      { title: 'NAME', value: (row) => row.name },
      { title: 'KIND', value: (row) => row.kind },
      { title: 'STATE', value: (row) => row.state },
    ],
    rows,
    terminal.columns,
  );
  const differences = rows.flatMap((row) => row.differences.map((each) => `  ${row.name}: ${each}`));
  terminal.out([table, ...(differences.length === 0 ? [] : ['', ...differences])].join('\n'));
}

function refuseFaults(report: TopologyReport): void {
  const items = [...report.streams, ...report.consumers];
  const named = (state: string) => items.filter((item) => item.state === state).map((item) => item.name);
  const missing = named('missing');
  if (missing.length > 0) throw new CliError(`${missing.join(', ')} missing: tributary topology makes them.`);
  const differing = named('differs');
  if (differing.length === 0) return;
  throw new CliError(
    `${differing.join(', ')} not as the settings say: tributary topology --update changes that; or change the settings.`,
  );
}
