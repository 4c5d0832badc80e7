import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptsConnections, findFreePort } from '../../src/roles/up/ports.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

export interface TestMosquitto {
  readonly url: string;
  readonly port: number;
  log(): string;
  /** Whether what it last wrote to its disk holds this text. */
  hasSaved(text: string): boolean;
  /** SIGKILL: what it had not saved is gone. */
  kill(): Promise<void>;
  /** An orderly stop: it saves what it holds. */
  stop(): Promise<void>;
  /** Starts again on the same port and store, after `kill` or `stop`. */
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface MosquittoOptions {
  /** Lines of `mosquitto.conf`, added to a listener for everybody and a store that is saved every second. */
  readonly config?: readonly string[];
  /** `mqtts`: `config` says with which certificate. */
  readonly scheme?: 'mqtt' | 'mqtts';
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A real Mosquitto of the test's own, on a free port with an empty store. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<TestMosquitto> {
  const binary = Bun.which('mosquitto', { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` });
  if (binary === null) throw new Error('mosquitto is not on the PATH: run npm test, which installs it');
  const folder = tempFolder('mosquitto');
  const port = await findFreePort({ random: Math.random });
  const store = join(folder.path, 'store');
  const configFile = join(folder.path, 'mosquitto.conf');
  mkdirSync(store);
  for (const [name, text] of Object.entries(options.files ?? {}))
    writeFileSync(join(folder.path, name), text);
  const lines = [
    `listener ${port} 127.0.0.1`,
    ...(options.config?.some((line) => line.startsWith('allow_anonymous')) ? [] : ['allow_anonymous true']),
    // Started as root it would become another user, who may not enter the folder.
    'user root',
    'persistence true',
    `persistence_location ${store}/`,
    'autosave_interval 1',
    ...(options.config ?? []),
  ];
  writeFileSync(configFile, `${lines.join('\n').replaceAll('{folder}', folder.path)}\n`);
  let log = '';
  let child: Bun.Subprocess<'ignore', 'ignore', 'pipe'> | undefined;
  const start = async () => {
    if (child !== undefined) return;
    const started = Bun.spawn([binary, '-c', configFile, '-v'], {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    });
    child = started;
    void (async () => {
      for await (const chunk of started.stderr.pipeThrough(new TextDecoderStream())) log += chunk;
    })();
    const listens = async () => started.exitCode !== null || (await acceptsConnections(port, '127.0.0.1'));
    await until(listens, { what: 'mosquitto listens' });
    if (started.exitCode !== null) throw new Error(`mosquitto ended with ${started.exitCode}:\n${log}`);
  };
  const end = async (signal: NodeJS.Signals) => {
    const running = child;
    child = undefined;
    running?.kill(signal);
    await running?.exited;
  };
  const saved = join(store, 'mosquitto.db');
  const remove = async () => {
    await end('SIGKILL');
    folder.remove();
  };
  await start().catch(async (error) => {
    await remove();
    throw error;
  });
  return {
    url: `${options.scheme ?? 'mqtt'}://127.0.0.1:${port}`,
    port,
    log: () => log,
    hasSaved: (text) => existsSync(saved) && readFileSync(saved).includes(text),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    start,
    [Symbol.asyncDispose]: remove,
  };
}
