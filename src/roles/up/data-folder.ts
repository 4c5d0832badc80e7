import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { UpError } from './up-error.ts';

/** Grows when an older program could no longer read what a newer one has written. */
export const dataFormatVersion = 1;

/** Where everything lies that `up` keeps. All paths are absolute. */
export interface DataFolder {
  readonly path: string;
  readonly lockFile: string;
  /** What a running instance tells the commands of the CLI; mode 0600. */
  readonly instanceFile: string;
  /** The processes that are running; the next start looks there for orphans. */
  readonly childrenFile: string;
  /** Passwords and ports of our own servers; mode 0600. */
  readonly serversFile: string;
  /** The demo device with its token, so that the lines to paste stay right; mode 0600. */
  readonly demoFile: string;
  /** The operator key that commands on this machine use; mode 0600. */
  readonly operatorKeyFile: string;
  /** Seals routes' secrets; mode 0600. Lost with it: the secrets, which are then to be set again. */
  readonly secretsKeyFile: string;
  /** Signs receipts; mode 0600. Lost with it: the receipts given so far. */
  readonly receiptKeyFile: string;
  readonly natsDir: string;
  readonly postgresDir: string;
  /** Programs unpacked here when the system has none. */
  readonly programsDir: string;
  readonly logsDir: string;
}

/** The places in a data folder, whether it exists or not. */
export function dataFolderAt(path: string): DataFolder {
  const root = resolve(path);
  return {
    path: root,
    lockFile: join(root, 'lock'),
    instanceFile: join(root, 'instance.json'),
    childrenFile: join(root, 'children.json'),
    serversFile: join(root, 'servers.json'),
    demoFile: join(root, 'demo.json'),
    operatorKeyFile: join(root, 'operator-key'),
    secretsKeyFile: join(root, 'secrets-key'),
    receiptKeyFile: join(root, 'receipt-key'),
    natsDir: join(root, 'nats'),
    postgresDir: join(root, 'postgres'),
    programsDir: join(root, 'programs'),
    logsDir: join(root, 'logs'),
  };
}

/**
 * Makes the folder on the first start and checks on later ones that we can read it.
 * @throws UpError when a newer version wrote it, when it is somebody else's folder, or when we may not write there.
 */
export function openDataFolder(path: string): DataFolder {
  const folder = dataFolderAt(path);
  try {
    checkDataFolder(folder);
  } catch (error) {
    if (error instanceof UpError) throw error;
    throw new UpError(
      `cannot use ${folder.path} as the data folder (${(error as Error).message}): set TRIBUTARY_DATA_DIR to a folder that ${userInfo().username} may write.`,
      { cause: error },
    );
  }
  return folder;
}

function checkDataFolder(folder: DataFolder): void {
  const versionFile = join(folder.path, 'version');
  // Others may pass through but not look around: PostgreSQL's user has its data inside.
  mkdirSync(folder.path, { recursive: true, mode: 0o711 });
  if (!existsSync(versionFile)) {
    if (readdirSync(folder.path).length > 0) {
      throw new UpError(
        `${folder.path} is not empty and not a data folder of Tributary: set TRIBUTARY_DATA_DIR to another folder.`,
      );
    }
    writeFileAtomically(versionFile, `${dataFormatVersion}\n`);
  }
  const text = readFileSync(versionFile, 'utf8').trim();
  if (!/^\d+$/.test(text))
    throw new UpError(
      `${versionFile} holds ${JSON.stringify(text)}, not a format version: restore it from a backup, or set TRIBUTARY_DATA_DIR to another folder.`,
    );
  if (Number(text) > dataFormatVersion) {
    throw new UpError(
      `${folder.path} was written by a newer version (format ${text}, this one reads up to ${dataFormatVersion}): start that version, or set TRIBUTARY_DATA_DIR to another folder.`,
    );
  }
  mkdirSync(folder.logsDir, { recursive: true, mode: 0o700 });
  accessSync(folder.path, constants.W_OK);
}

/** A reader sees the old text or the new, never half of it. Secrets: only the owner may read. */
export function writeFileAtomically(file: string, text: string): void {
  const unfinished = `${file}.unfinished`;
  writeFileSync(unfinished, text, { mode: 0o600, flush: true });
  renameSync(unfinished, file);
}
