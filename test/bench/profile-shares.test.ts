import { expect, test } from 'bun:test';
import { sharesOfProfile } from '../../bench/report/profile-shares.ts';

const profile = `# CPU Profile

## Hot Functions (Self Time)

| Self% | Self | Total% | Total | Function | Location |
|------:|-----:|-------:|------:|----------|----------|
| 50.0% | 1.00s | 50.0% | 1.00s | \`write\` | \`[native code]\` |
| 20.0% | 400.0ms | 20.0% | 400.0ms | \`settle\` | \`/a/src/worker/settle.ts:12\` |
| 10.0% | 200.0ms | 20.0% | 400.0ms | \`/^a\\|b$/\` | \`/a/src/worker/judge/form.ts\` |
| 10.0% | 200.0ms | 10.0% | 200.0ms | \`parse\` | \`/a/node_modules/@nats-io/nats-core/lib/parser.js:1\` |
| 10.0% | 200000µs | 10.0% | 200.0ms | \`emit\` | \`node:events:87\` |

## Call Tree (Total Time)

| 90.0% | 9.00s | 90.0% | 9.00s | \`other\` | \`/a/src/cli/main.ts:1\` |
`;

test('self time is summed up by room, package and runtime function, the largest first', () => {
  const shares = sharesOfProfile(profile).map(({ where, share }) => [where, Number(share.toFixed(3))]);
  expect(shares).toEqual([
    ['runtime’s write', 0.5],
    ['src/worker', 0.3],
    ['@nats-io/nats-core', 0.1],
    ['runtime', 0.1],
  ]);
});

test('a profile of another form is not taken for an idle process', () => {
  expect(() => sharesOfProfile('# CPU Profile')).toThrow('no table of hot functions');
});
