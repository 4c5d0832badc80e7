/**
 * `install-packages.ts FOLDER PACKAGE…` installs Debian packages where that is possible, and says why not where it is
 * not. Without root only what runs by itself can be had: it is unpacked into the folder.
 */
import { installSystemPackages, isDebian, unpackPackage } from '../../src/roles/up/debian-packages.ts';

const runsUnpacked = new Set(['nats-server', 'prometheus']);
const [folder = '', ...names] = process.argv.slice(2);

if (!isDebian()) {
  console.error(`cannot install ${names.join(', ')}: this is not Debian`);
} else if (process.getuid?.() === 0) {
  console.error(`● installing ${names.join(', ')} (apt-get) …`);
  await installSystemPackages(names);
} else {
  for (const name of names.filter((each) => runsUnpacked.has(each))) {
    console.error(`● unpacking ${name} (apt-get download) …`);
    await unpackPackage(name, folder);
  }
}
