import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parseConfig } from '../config/parse-config.ts';
import { withSecretFiles } from '../config/secret-files.ts';
import type { Config, SettingName } from '../config/settings.ts';
import type { CliContext } from './context.ts';
import { addSettingFlags, connectionSettings, settingOverrides } from './setting-flags.ts';

/** What an action works with, besides its arguments and options. */
export interface Invocation extends CliContext {
  readonly config: Config;
  readonly json: boolean;
}

export interface CommandText {
  readonly summary: string;
  /** What the summary leaves open; shown by `--help`. */
  readonly details?: string;
  /** Lines to copy, without the program's name. */
  readonly examples: readonly string[];
}

export interface CommandShape extends CommandText {
  /** Name and arguments as commander writes them: `add <tenant_id>`. */
  readonly usage: string;
  /** `--json` is offered. */
  readonly json?: boolean;
  /** Settings offered as flags; default: where the instance is. */
  readonly settings?: readonly SettingName[] | 'all';
}

/** Adds a command in the common form: its help with examples, its settings as flags, `--json`. */
export function defineCommand(parent: Command, shape: CommandShape): Command {
  const command = parent.command(shape.usage).summary(shape.summary);
  const title = sentence(shape.summary);
  command.description(shape.details === undefined ? title : `${title}\n\n${shape.details}`);
  if (shape.json ?? true) command.option('--json', 'print JSON');
  addSettingFlags(command, shape.settings === 'all' ? undefined : (shape.settings ?? connectionSettings));
  command.addHelpText('after', `\n${examplesText(shape.examples)}`);
  return withHelpAfterError(command);
}

export function examplesText(examples: readonly string[]): string {
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  return [title, ...examples.map((example) => `  tributary ${example}`)].join('\n');
}

/** Reads settings from flags and environment. @throws ConfigError */
export function invocationOf(context: CliContext, command: Command): Invocation {
  const options: Readonly<Record<string, unknown>> = command.opts();
  const environment = withSecretFiles(context.environment, (file) => readFileSync(file, 'utf8'));
  const config = parseConfig(environment, settingOverrides(options));
  return { ...context, environment, config, json: options.json === true };
}

/** A command that only holds others: without one of them it shows its help. */
export function defineGroup(program: Command, name: string, text: CommandText): Command {
  return withHelpAfterError(
    program
      .command(name)
      .summary(text.summary)
      .description(sentence(text.summary))
      .helpCommand(false)
      .addHelpText('after', `\n${examplesText(text.examples)}`),
  );
}

/** Whoever misspelt something is told where the right spelling is. */
export function withHelpAfterError(command: Command): Command {
  return command.showHelpAfterError(`${pathOf(command)} --help shows how it is used.`);
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
