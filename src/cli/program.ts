import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { addAlarmsCommands } from './commands/alarms.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addDatabaseUsersCommand } from './commands/database-users.ts';
import { addDeadLettersCommands } from './commands/dead-letters.ts';
import { addDeviceCommands } from './commands/device.ts';
import { addHealthcheckCommand } from './commands/healthcheck.ts';
import { addKeyCommands } from './commands/key.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addNatsConfigCommand } from './commands/nats-config.ts';
import { addOperatorKeyCommands } from './commands/operator-key.ts';
import { addProveCommand } from './commands/prove.ts';
import { addQuarantineCommands } from './commands/quarantine.ts';
import { addReceiptCommand } from './commands/receipt.ts';
import { addRoleCommands } from './commands/roles.ts';
import { addRouteCommands } from './commands/route.ts';
import { addSensorsCommand } from './commands/sensors.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTelemetryCommand } from './commands/telemetry.ts';
import { addTenantCommands } from './commands/tenant.ts';
import { addTopCommand } from './commands/top.ts';
import { addTopologyCommand } from './commands/topology.ts';
import { addUpCommand } from './commands/up.ts';
import type { CliContext } from './context.ts';
import { examplesText, withHelpAfterError } from './define-command.ts';
import { ownProgram } from './own-program.ts';

/** The whole command line. Parsing throws CommanderError instead of ending the process. */
export function createProgram(context: CliContext): Command {
  const { terminal } = context;
  const program = new Command('tributary')
    .description(
      'Takes telemetry over HTTP and MQTT: durable before it says yes, exactly once in PostgreSQL.',
    )
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help; also for each command')
    .helpCommand(false)
    // Options belong to the command they follow: audit and audit acknowledge both have --json.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.note(text.trimEnd()),
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    })
    // Where usage leaves less, descriptions are wrapped all the same.
    .configureHelp({ minWidthToWrap: 24 })
    .exitOverride();
  withHelpAfterError(program);
  program.commandsGroup('Run:');
  addUpCommand(program, context);
  addRoleCommands(program, context);
  addSimulateCommand(program, context);
  addProveCommand(program, context);
  program.commandsGroup('Set up:');
  addTenantCommands(program, context);
  addDeviceCommands(program, context);
  addRouteCommands(program, context);
  addKeyCommands(program, context);
  addOperatorKeyCommands(program, context);
  addMigrateCommand(program, context);
  addTopologyCommand(program, context);
  addNatsConfigCommand(program, context);
  addHealthcheckCommand(program, context);
  addDatabaseUsersCommand(program, context);
  program.commandsGroup('Look:');
  addStatusCommand(program, context);
  addTopCommand(program, context);
  addAuditCommand(program, context);
  addReceiptCommand(program, context);
  addAlarmsCommands(program, context);
  addTelemetryCommand(program, context);
  addSensorsCommand(program, context);
  addQuarantineCommands(program, context);
  addDeadLettersCommands(program, context);
  program.addHelpText(
    'after',
    `\n${examplesText(['tenant add acme', 'device add acme sensor-1 --site plant-1', 'status'])}\n\n` +
      `Commands find the instance of a running ${ownProgram.startAs} by themselves; NATS_URL and\n` +
      'DATABASE_URL name another one. Exit codes: 0 done, 1 failed, 2 wrong usage,\n' +
      '69 unreachable, 78 wrong setting.',
  );
  return program;
}
