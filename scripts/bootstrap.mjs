/**
 * What has to be there before our own code can run: npm packages that match the lock file, and Bun among them.
 * Plain Node without dependencies, shared by `npm start`, `npm test` and `bin/tributary`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const minimumNodeMajor = 20;

/** A failure whose message is all that the user needs to see. */
export class SetupError extends Error {
  name = 'SetupError';
}

/**
 * Makes sure of Node's version, the packages and Bun. Without anything to do it reads two files and is quick.
 * @param {{ withDevelopment?: boolean }} [options] whether the packages for tests and checks are needed too
 * @returns {string} the path of Bun's program
 */
export function prepare({ withDevelopment = false } = {}) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < minimumNodeMajor) {
    throw new SetupError(
      `Node ${minimumNodeMajor} or later is needed, this is ${process.version}: https://nodejs.org`,
    );
  }
  if (!packagesMatchLock(withDevelopment)) installPackages();
  return findBun();
}

/**
 * npm notes at the end of each install what it has installed. Comparing that with the lock file says whether an
 * install is due, also after one that was cut off or made by hand.
 * @param {boolean} withDevelopment
 */
function packagesMatchLock(withDevelopment) {
  const wanted = readPackages(join(projectRoot, 'package-lock.json'));
  const installed = readPackages(join(projectRoot, 'node_modules', '.package-lock.json'));
  if (wanted === undefined)
    throw new SetupError('package-lock.json is missing: take it from the repository again');
  if (installed === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    // The empty path is the project itself; packages for other platforms are never installed.
    if (path === '' || entry.optional) continue;
    if (entry.dev && !withDevelopment) continue;
    if (installed[path]?.version !== entry.version) return false;
    if (installed[path]?.integrity !== entry.integrity) return false;
  }
  return true;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** `npm ci` installs exactly what the lock file names. Its talk goes to standard error, which stays free for us. */
function installPackages() {
  console.error('● installing npm packages (npm ci) …');
  const startedAt = performance.now();
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: projectRoot,
    stdio: ['ignore', 2, 2],
    // Set for us by `npm start --omit=dev` and the like; what we need is our own decision.
    env: { ...process.env, NODE_ENV: '', npm_config_omit: '' },
  });
  if (result.error?.code === 'ENOENT') throw new SetupError('npm is not on the PATH: install Node with npm');
  if (result.status !== 0)
    throw new SetupError('npm ci failed: see its message above, mend that and start again');
  console.error(`  packages installed  ok ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** `node_modules/.bin/bun` is only a note when install scripts were skipped; the platform's package has it then. */
function findBun() {
  const modules = join(projectRoot, 'node_modules');
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch;
  const candidates = [
    join(modules, 'bun', 'bin', 'bun.exe'),
    join(modules, '@oven', `bun-${process.platform}-${arch}`, 'bin', 'bun'),
    join(modules, '@oven', `bun-${process.platform}-${arch}-musl`, 'bin', 'bun'),
  ];
  const found = candidates.find((path) => existsSync(path) && statSync(path).size > 1_000_000);
  if (found !== undefined) return found;
  throw new SetupError(
    `Bun for ${process.platform}-${process.arch} was not installed: run npm ci without --omit=optional`,
  );
}

/**
 * Runs our CLI in our place: same terminal, signals passed on, same end. The data folder is the project's unless the
 * user says otherwise, so that commands find the running instance from whatever folder they are called.
 * @param {string} bun
 * @param {readonly string[]} args
 */
export function runCli(bun, args) {
  const child = spawn(bun, [join(projectRoot, 'src', 'cli', 'main.ts'), ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      TRIBUTARY_DATA_DIR: process.env.TRIBUTARY_DATA_DIR || join(projectRoot, '.tributary'),
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`cannot run ${bun}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/**
 * Runs the main function of a script; a SetupError ends it with its sentence, without a stack.
 * @param {() => void | Promise<void>} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof SetupError ? `error: ${error.message}` : error);
    process.exit(1);
  }
}
