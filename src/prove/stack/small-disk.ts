import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system in memory that a fault can fill. Linux, as root. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all the room there is. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): void;
  unmount(): void;
}

/** Why no small disk can be mounted here; undefined: it can. Root of a container may not mount either, so it is tried. */
export function whyNoMount(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it takes Linux and root';
  const path = mkdtempSync(join(tmpdir(), 'tributary-mount-'));
  try {
    mountSmallDisk(path, 1).unmount();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmdirSync(path);
  }
}

/** @throws Error with what `mount` says. */
export function mountSmallDisk(path: string, mebibytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  // Others may pass: PostgreSQL's user has its data inside.
  run(['mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0711`, 'tributary-prove', path]);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: async () => {
      // By another process: it takes a while, and the load goes on. It ends when there is no room left.
      const command = ['dd', 'if=/dev/zero', `of=${ballast}`, 'bs=64K'];
      await Bun.spawn(command, { stdout: 'ignore', stderr: 'ignore' }).exited;
    },
    free: () => rmSync(ballast, { force: true }),
    // Somebody's last process may still have a file open.
    unmount: () => run(['umount', '--lazy', path]),
  };
}

function run(command: string[]): void {
  const { success, stderr } = Bun.spawnSync(command);
  if (!success) throw new Error(`${command.join(' ')} failed: ${stderr.toString().trim()}`);
}
