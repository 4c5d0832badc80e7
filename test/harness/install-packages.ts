/** Installs the Debian packages named as arguments, where that is possible; says why not where it is not. */
import { installSystemPackages, isDebian } from '../../src/roles/up/debian-packages.ts';

const names = process.argv.slice(2);
if (!isDebian() || process.getuid?.() !== 0) {
  console.error(`only root on Debian can install ${names.join(', ')} here`);
} else {
  console.error(`● installing ${names.join(', ')} (apt-get) …`);
  await installSystemPackages(names);
}
