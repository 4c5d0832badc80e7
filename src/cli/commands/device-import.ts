import type { Command } from 'commander';
import type { TenantId } from '../../model/identifiers.ts';
import { tenantNotFound } from '../../store/registry/registry-error.ts';
import { selectTenants } from '../../store/registry/select-tenants.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { createRunningNote } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, type Invocation, invocationOf } from '../define-command.ts';
import { CliError } from '../exit-codes.ts';
import { checkFile, type FileCheck } from '../import/check-file.ts';
import { type ImportFileOptions, type ImportFileResult, importFile } from '../import/import-file.ts';
import { createTokensFile } from '../import/tokens-file.ts';
import { toJson } from '../output/json.ts';
import { formatCount } from '../output/number.ts';
import { parseTenantId } from '../parsers.ts';
import { newDeviceToken } from '../secrets.ts';

interface Options {
  readonly tenant?: TenantId;
  readonly tokensOut?: string;
  /** `--no-tokens` */
  readonly tokens: boolean;
  readonly update?: boolean;
}

export function addDeviceImport(device: Command, context: CliContext): void {
  defineCommand(device, {
    usage: 'import',
    summary: 'register devices from a CSV file',
    details:
      'The first line names the columns: device_id and site_id; and, where wanted, tenant_id, ' +
      'token or token_sha256 (hex), rate_per_second, burst, max_sensors. Nothing is imported ' +
      'unless every line can be. Devices that bring no token get a new one, written to the file ' +
      'of --tokens-out. Devices that are registered already stay as they are, or with --update ' +
      'take on what the file says.',
    examples: [
      'device import devices.csv --tenant acme --tokens-out tokens.csv',
      'device import devices.csv --tenant acme --update',
    ],
  })
    .argument('<file>', 'a CSV file with a header line')
    .option('-t, --tenant <tenant_id>', 'tenant of the rows that name none', parseTenantId)
    .option('--tokens-out <file>', 'where new tokens go; made anew, readable by its owner only')
    .option('--no-tokens', 'leave devices that bring no token without one')
    .option('--update', 'change devices that are registered already')
    .action((file: string, options: Options, self: Command) =>
      runImport(invocationOf(context, self), file, options),
    );
}

async function runImport(invocation: Invocation, file: string, options: Options): Promise<void> {
  const check = await checkFile(file, options.tenant);
  refuseBadFile(file, check, options);
  const result = await withDatabase(invocation, async (pool) => {
    await requireTenants(pool, check.tenants);
    const tokens = options.tokensOut === undefined ? undefined : createTokensFile(options.tokensOut);
    const bar = invocation.terminal.bar('importing', check.devices);
    try {
      return await importFile({
        pool,
        note: importNotes(invocation, options),
        file,
        defaultTenant: options.tenant,
        existing: options.update ? 'update' : 'skip',
        tokens,
        newToken: newDeviceToken,
        onProgress: bar.update,
        stop: invocation.signals.stop(),
      });
    } finally {
      bar.stop();
      tokens?.close();
    }
  });
  report(invocation, file, options, result);
}

/** One entry a tenant, whose counts grow with each batch. */
function importNotes(invocation: Invocation, { update }: Options): ImportFileOptions['note'] {
  const notes = new Map<TenantId, ReturnType<typeof createRunningNote>>();
  return async (db, tenantId, { added, updated, unchanged, tokens }) => {
    const note =
      notes.get(tenantId) ??
      createRunningNote(invocation, { tenantId, action: 'device.import', target: 'devices' });
    notes.set(tenantId, note);
    await note(db, { added, updated, unchanged, new_tokens: tokens, update: update === true });
  };
}

function refuseBadFile(file: string, check: FileCheck, options: Options): void {
  if (check.badRowCount > 0) {
    const more = check.badRowCount - check.badRows.length;
    throw new CliError(
      [
        `${file}: ${formatCount(check.badRowCount)} of ${formatCount(check.devices + check.badRowCount)} lines cannot be imported, so nothing was:`,
        ...check.badRows.map((error) => `  ${error.message}`),
        ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
      ].join('\n'),
    );
  }
  if (check.devices === 0) throw new CliError(`${file}: there is no device after the header line.`);
  if (check.withoutToken > 0 && options.tokens && options.tokensOut === undefined) {
    throw new CliError(
      `${formatCount(check.withoutToken)} devices in ${file} bring no token: name a file for new ones with --tokens-out, or leave them without with --no-tokens.`,
    );
  }
}

async function requireTenants(db: Queryable, wanted: ReadonlySet<TenantId>): Promise<void> {
  const known = new Set((await selectTenants(db)).map((tenant) => tenant.tenantId));
  for (const tenantId of wanted) if (!known.has(tenantId)) throw tenantNotFound(tenantId);
}

function report(
  { terminal, json }: Invocation,
  file: string,
  options: Options,
  result: ImportFileResult,
): void {
  const { added, updated, unchanged, tokens, complete } = result;
  if (json) terminal.out(toJson({ added, updated, unchanged, new_tokens: tokens, complete }));
  else {
    const parts = [
      `${formatCount(added)} added`,
      ...(updated > 0 ? [`${formatCount(updated)} updated`] : []),
      ...(unchanged > 0 ? [`${formatCount(unchanged)} registered already and left as they were`] : []),
    ];
    terminal.out(`${file}: ${parts.join(', ')}.`);
    if (tokens > 0) terminal.out(`${formatCount(tokens)} new tokens are in ${options.tokensOut}.`);
  }
  if (!complete) throw new CliError('stopped before the end: the same import again goes on from there.');
}
