/**
 * `npm test`: sets up everything the tests need and runs them. Arguments go to `bun test` (paths, `-t name`).
 *
 * The tests talk to real servers: nats-server, PostgreSQL, Mosquitto's clients. One PostgreSQL serves the whole run;
 * each test has a database of its own in it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { prepare, projectRoot, runScript, SetupError } from './bootstrap.mjs';

const perTestTimeoutMs = 60_000;
const parallelFiles = 2;

/** Where programs go that cannot be installed for the whole system. */
const unpackedPrograms = join(projectRoot, 'node_modules', '.cache', 'programs');

const neededPrograms = [
  { program: 'nats-server', debianPackage: 'nats-server', required: true },
  { program: 'mosquitto', debianPackage: 'mosquitto', required: false },
  { program: 'mosquitto_pub', debianPackage: 'mosquitto-clients', required: false },
  {
    // Sets the clocks of processes.
    program: 'libfaketime',
    debianPackage: 'libfaketime',
    elsewhere: 'only on Linux',
    required: false,
    isThere: () => debianLibraryFolders().some((folder) => existsSync(join(folder, 'faketime'))),
  },
  {
    program: 'chromium',
    debianPackage: 'chromium',
    elsewhere: 'brew install --cask chromium',
    required: false,
  },
  // Checks what deploy/ has for Prometheus.
  { program: 'promtool', debianPackage: 'prometheus', required: false },
  { program: 'caddy', debianPackage: 'caddy', required: false },
  { program: 'docker-compose', debianPackage: 'docker-compose', required: false },
  { program: 'openssl', debianPackage: 'openssl', required: false },
  // What the examples are built and run with.
  { program: 'curl', debianPackage: 'curl', required: false },
  { program: 'make', debianPackage: 'make', elsewhere: 'xcode-select --install', required: false },
  { program: 'cc', debianPackage: 'gcc', elsewhere: 'xcode-select --install', required: false },
  {
    program: 'the C library with its headers',
    debianPackage: 'libc6-dev',
    elsewhere: 'xcode-select --install',
    required: false,
    isThere: () => succeeds('cc', ['-E', '-x', 'c', '-'], '#include <stdio.h>'),
  },
  { program: 'python3', debianPackage: 'python3', required: false },
  {
    program: 'paho-mqtt for Python',
    debianPackage: 'python3-paho-mqtt',
    elsewhere: 'pip install paho-mqtt',
    required: false,
    isThere: () => succeeds(debianPython(), ['-c', 'import paho.mqtt.client']),
  },
  {
    program: 'libcurl with its headers',
    debianPackage: 'libcurl4-openssl-dev',
    elsewhere: 'brew install curl',
    required: false,
    isThere: () => succeeds('cc', ['-E', '-x', 'c', '-'], '#include <curl/curl.h>'),
  },
];

await runScript(async () => {
  // Debian keeps servers where only root's PATH looks.
  process.env.PATH = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin:${join(unpackedPrograms, 'usr', 'sbin')}:${join(unpackedPrograms, 'usr', 'bin')}`;
  const bun = prepare({ withDevelopment: true });
  installPrograms(bun);
  // One folder for all that the tests leave when they are interrupted. PostgreSQL's user must be able to pass.
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'tributary-tests-'));
  chmodSync(process.env.TMPDIR, 0o711);
  try {
    process.exitCode = await runTests(bun);
  } finally {
    rmSync(process.env.TMPDIR, { recursive: true, force: true });
  }
});

/** What is missing is installed by the code that `npm start` uses, too. */
function installPrograms(bun) {
  const missing = neededPrograms.filter((each) => !isInstalled(each));
  if (missing.length === 0) return;
  const packages = missing.map(({ debianPackage }) => debianPackage);
  spawnSync(bun, [inHarness('install-packages.ts'), unpackedPrograms, ...packages], {
    stdio: ['ignore', 2, 2],
  });
  for (const each of missing.filter((one) => !isInstalled(one))) {
    const { program, debianPackage, elsewhere = `brew install ${debianPackage}`, required } = each;
    const why = `${program} is not installed (Debian: apt-get install ${debianPackage}; macOS: ${elsewhere})`;
    if (required || process.env.CI === 'true') throw new SetupError(why);
    console.error(`skipped: tests that need ${program}: ${why}`);
  }
}

async function runTests(bun) {
  const postgres = await startPostgres(bun);
  const args = [
    'test',
    `--parallel=${parallelFiles}`,
    `--timeout=${perTestTimeoutMs}`,
    ...process.argv.slice(2),
  ];
  const tests = spawn(bun, args, {
    cwd: projectRoot,
    stdio: 'inherit',
    env: { ...process.env, TEST_POSTGRES_URL: postgres.url },
  });
  let interrupted;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      interrupted = signal;
      tests.kill(signal);
    });
  }
  try {
    const exit = await ended(tests);
    if (interrupted !== undefined) return interrupted === 'SIGINT' ? 130 : 143;
    return exit;
  } finally {
    await postgres.stop();
  }
}

/** The server stops when told, and also when its standard input ends because we are no more. */
async function startPostgres(bun) {
  const child = spawn(bun, [inHarness('serve-postgres.ts')], {
    cwd: projectRoot,
    stdio: ['pipe', 'pipe', 'inherit'],
    // A session of its own: a Ctrl-C is for the tests first, and for this server when they have ended.
    detached: true,
  });
  const exited = ended(child);
  const firstLine = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const line = await Promise.race([firstLine, exited]);
  if (typeof line !== 'string') throw new SetupError('PostgreSQL for the tests did not start: see above');
  return {
    url: JSON.parse(line).url,
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(signal === null ? code : 1));
  });
}

function inHarness(file) {
  return join(projectRoot, 'test', 'harness', file);
}

function isInstalled({ program, isThere }) {
  return isThere === undefined ? isOnPath(program) : isThere();
}

function debianLibraryFolders() {
  if (process.platform !== 'linux' || !existsSync('/usr/lib')) return [];
  return readdirSync('/usr/lib')
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join('/usr/lib', name));
}

/** Debian's packages for Python are for Debian's Python, which another may hide on the PATH. */
function debianPython() {
  return existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
}

function succeeds(command, args, input = '') {
  return spawnSync(command, args, { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

function isOnPath(program) {
  return process.env.PATH.split(':').some((folder) => folder !== '' && existsSync(join(folder, program)));
}
