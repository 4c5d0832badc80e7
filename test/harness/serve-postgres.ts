/**
 * One PostgreSQL for a whole run of the tests: prints its address as one line of JSON and stays until its standard
 * input ends or it is told to stop.
 */
import { startTestCluster } from './postgres-cluster.ts';

const cluster = await startTestCluster();
console.log(JSON.stringify({ url: cluster.url }));

const stopped = Promise.withResolvers<void>();
process.on('SIGTERM', () => stopped.resolve());
process.on('SIGINT', () => stopped.resolve());
process.stdin.on('end', () => stopped.resolve());
process.stdin.resume();
await stopped.promise;
await cluster[Symbol.asyncDispose]();
process.exit(0);
