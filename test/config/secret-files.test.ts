import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, parseConfig } from '../../src/config/parse-config.ts';
import { withSecretFiles } from '../../src/config/secret-files.ts';
import { runTributary } from '../harness/role-process.ts';
import { tempFolder } from '../harness/temp-folder.ts';

const read = (file: string) => {
  if (file === '/run/secrets/db') return 'postgres://u:p@h/d\n';
  if (file === '/run/secrets/empty') return '\n';
  throw new Error(`ENOENT: ${file}`);
};

test('a secret is read from the file that X_FILE names, without the line’s end', () => {
  const environment = withSecretFiles({ DATABASE_URL_FILE: '/run/secrets/db', HOME: '/root' }, read);
  expect(environment).toEqual({ DATABASE_URL: 'postgres://u:p@h/d', HOME: '/root' });
});

test('every fault is named: unreadable, empty, set twice', () => {
  const environment = {
    DATABASE_URL_FILE: '/run/secrets/none',
    NATS_URL_FILE: '/run/secrets/empty',
    TRIBUTARY_SECRETS_KEY: 'x',
    TRIBUTARY_SECRETS_KEY_FILE: '/run/secrets/db',
  };
  let fault: unknown;
  try {
    withSecretFiles(environment, read);
  } catch (error) {
    fault = error;
  }
  expect(fault).toBeInstanceOf(ConfigError);
  const lines = fault instanceof Error ? fault.message.split('\n') : [];
  expect(
    lines.filter((line) => line.startsWith('DATABASE_URL_FILE=/run/secrets/none cannot be read')),
  ).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith('NATS_URL_FILE=/run/secrets/empty is empty'))).toHaveLength(
    1,
  );
  expect(lines).toContain(
    'TRIBUTARY_SECRETS_KEY_FILE and TRIBUTARY_SECRETS_KEY are both set: leave one of them out.',
  );
});

test('what is no secret has no such variable', () => {
  const environment = withSecretFiles({ TRIBUTARY_HTTP_PORT_FILE: '/run/secrets/db' }, read);
  expect(() => parseConfig(environment)).toThrow('TRIBUTARY_HTTP_PORT_FILE: no such setting');
});

test('a command takes its database from a file', async () => {
  using folder = tempFolder('secret-file');
  const file = join(folder.path, 'url');
  writeFileSync(file, 'postgres://nobody@127.0.0.1:1/none\n');
  const { code, stderr } = await runTributary(['tenant', 'list'], { DATABASE_URL_FILE: file });
  expect(code).toBe(69);
  expect(stderr).toContain('127.0.0.1:1');
});
