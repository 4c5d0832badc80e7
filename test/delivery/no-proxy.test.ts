import { expect, test } from 'bun:test';
import { resolve } from 'node:path';

const sender = resolve(import.meta.dir, '../../src/delivery/webhook/send-request.ts');
const guard = resolve(import.meta.dir, '../../src/delivery/address/guarded-lookup.ts');

// A proxy would look names up for itself, behind the guard's back.
test.each(['http_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'])(
  'a proxy that %s names is not asked: what is sent goes to the address that was judged',
  async (variable) => {
    const asked: string[] = [];
    const proxy = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request) => {
        asked.push(request.url);
        return new Response('from the proxy', { status: 500 });
      },
    });
    const receiver = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('ok') });
    const program = `
      import { sendRequest } from ${JSON.stringify(sender)};
      import { createAddressGuard } from ${JSON.stringify(guard)};
      import ipaddr from 'ipaddr.js';
      const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
      const guard = createAddressGuard([[ipaddr.parse('127.0.0.1'), 32]], resolve);
      const url = new URL('http://hook.example:${receiver.port}/x');
      const { status } = await sendRequest({ url, method: 'POST', headers: {}, body: Buffer.from('{}'), timeoutMs: 3000, guard });
      console.log(status);
      process.exit(0);`;
    try {
      const child = Bun.spawn([process.execPath, '-e', program], {
        cwd: import.meta.dir,
        env: { PATH: process.env.PATH, [variable]: `http://127.0.0.1:${proxy.port}` },
        stdout: 'pipe',
        stderr: 'pipe',
      });
      const [out, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect([out.trim(), errors, asked]).toEqual(['200', '', []]);
    } finally {
      await Promise.all([proxy.stop(true), receiver.stop(true)]);
    }
  },
);
