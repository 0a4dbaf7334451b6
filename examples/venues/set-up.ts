// Sets an environment up in a tenant that exists: `gatewright tenant create acme-dev --json > acme-dev.json`, then
// `node examples/venues/set-up.ts acme-dev.json`. It prints what the services have to be told, secrets included, this once.
import './start/resolve-localhost.ts';
import { readFile } from 'node:fs/promises';
import { setUpEnvironment } from './start/set-up-environment.ts';

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('Usage: node examples/venues/set-up.ts <what `gatewright tenant create --json` printed>\n');
  process.exit(1);
}
const made = await setUpEnvironment(JSON.parse(await readFile(file, 'utf8')));
process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
