import { existsSync, readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { dataFolderAt, writeFileAtomically } from './data-folder.ts';

const instanceSchema = Type.Object({
  /** Process id of the `up` that runs it. */
  pid: Type.Integer(),
  /** With user and password. */
  natsUrl: Type.String(),
  databaseUrl: Type.String(),
  httpUrl: Type.String(),
  mqttUrl: Type.String(),
  consoleUrl: Type.String(),
  /** Holds an operator key, for requests to the gateway and the console. */
  operatorKeyFile: Type.String(),
});

/**
 * What a running `up` tells the commands of the CLI: how to reach its servers and doors. The file holds passwords
 * and is readable by its owner only. It is removed at an orderly stop.
 */
export type Instance = Readonly<Static<typeof instanceSchema>>;

/** The instance that runs on the data folder, or `undefined` when none is noted there. */
export function readInstance(dataDir: string): Instance | undefined {
  const { instanceFile } = dataFolderAt(dataDir);
  if (!existsSync(instanceFile)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(instanceFile, 'utf8'));
  } catch {
    return undefined;
  }
  return Check(instanceSchema, value) ? value : undefined;
}

export function writeInstance(instanceFile: string, instance: Instance): void {
  writeFileAtomically(instanceFile, `${JSON.stringify(instance, null, 2)}\n`);
}
