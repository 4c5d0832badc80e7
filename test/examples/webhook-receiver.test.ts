import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { until } from '../harness/until.ts';

test('the receiver of webhooks takes what is signed, tells what comes again, and refuses the rest', async () => {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const child = Bun.spawn([process.execPath, 'examples/webhook/receiver.ts'], {
    env: { PATH: process.env.PATH, WEBHOOK_SECRET: secret, PORT: '0' },
    stdout: 'pipe',
  });
  try {
    let log = '';
    void (async () => {
      for await (const chunk of child.stdout) log += new TextDecoder().decode(chunk);
    })();
    const url = await until(() => /listening on (\S+)/.exec(log)?.[1], { what: 'the receiver listens' });
    const send = async (by: string, body: string) => {
      const at = new Date();
      const headers = {
        'webhook-id': 'r1.1.a',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': new Webhook(by).sign('r1.1.a', at, body),
      };
      return (await fetch(url, { method: 'POST', headers, body })).status;
    };
    expect(await send(secret, '{"n":1}')).toBe(204);
    expect(await send(secret, '{"n":1}')).toBe(204);
    expect(await send(`whsec_${randomBytes(32).toString('base64')}`, '{"n":1}')).toBe(401);
    await until(() => log.includes('refused: '), { what: 'the refusal is told' });
    expect(log.split('\n').slice(1, 3)).toEqual(['{"n":1}', 'again: r1.1.a']);
  } finally {
    child.kill();
    await child.exited;
  }
});
