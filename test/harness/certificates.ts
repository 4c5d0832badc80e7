import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempFolder } from './temp-folder.ts';

/** Files in PEM. */
export interface Certificates extends Disposable {
  readonly folder: string;
  /** The authority behind all of them but the stranger's. */
  readonly ca: string;
  /** For 127.0.0.1 and localhost. */
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  /** Of an authority of his own. */
  readonly stranger: { readonly cert: string; readonly key: string; readonly ca: string };
}

function openssl(...args: string[]): void {
  const run = Bun.spawnSync(['openssl', ...args], { stdout: 'ignore', stderr: 'pipe' });
  if (!run.success) throw new Error(`openssl ${args[0]} failed: ${run.stderr}`);
}

/** Two authorities and certificates of theirs, made anew with openssl for each test. */
export function makeCertificates(): Certificates {
  const temp = tempFolder('certificates');
  const at = (name: string) => join(temp.path, name);
  const authority = (name: string) => {
    const days = ['-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)];
    openssl('req', '-x509', '-subj', `/CN=${name}`, ...days, ...files);
    return name;
  };
  const signed = (name: string, by: string, names: string) => {
    const request = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    openssl(
      'req',
      '-new',
      '-subj',
      `/CN=${name}`,
      ...request,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.csr`),
    );
    writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    const signer = ['-CA', at(`${by}.crt`), '-CAkey', at(`${by}.key`), '-CAcreateserial', '-days', '2'];
    openssl(
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...signer,
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.crt`),
    );
    return { cert: at(`${name}.crt`), key: at(`${name}.key`) };
  };
  const [ours, theirs] = [authority('ours'), authority('theirs')];
  const names = 'IP:127.0.0.1,DNS:localhost';
  return {
    folder: temp.path,
    ca: at(`${ours}.crt`),
    server: signed('server', ours, names),
    client: signed('client', ours, names),
    stranger: { ...signed('stranger', theirs, names), ca: at(`${theirs}.crt`) },
    [Symbol.dispose]: temp.remove,
  };
}
