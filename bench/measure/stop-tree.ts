import { descendantsOf } from './process-usage.ts';

/** SIGSTOP to a process and everything below it. @returns what lets them go on */
export function stopTree(pid: number): () => void {
  process.kill(pid, 'SIGSTOP');
  const pids = [pid, ...descendantsOf(pid)];
  for (const each of pids) process.kill(each, 'SIGSTOP');
  return () => {
    for (const each of pids) process.kill(each, 'SIGCONT');
  };
}
