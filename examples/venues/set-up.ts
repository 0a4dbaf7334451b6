// Sets an environment up in a tenant that exists (PWD.11 to PWD.15), and may be repeated.
import './start/resolve-localhost.ts';
import { setUpFromFile } from './start/secret-files.ts';

const [file, to = file?.replace(/(\.json)?$/, '-services.json'), ...rest] = process.argv.slice(2);
if (file === undefined || to === undefined || file.startsWith('-') || rest.length > 0) {
  process.stderr.write(`Usage: npx node examples/venues/set-up.ts <tenant.json> [<services.json>]
  <tenant.json>    what \`gatewright tenant create <company>-<environment> --json\` printed
  <services.json>  where it writes what the services have to be told, secrets included, for this account alone
                   (mode 600); beside <tenant.json> unless said otherwise
`);
  process.exit(1);
}
try {
  const { tenant, client } = await setUpFromFile(file, to);
  process.stdout.write(`${tenant} is set up: client ${client.id}. What the services have to be told is in ${to}\n`);
} catch (error) {
  process.stderr.write(`set-up: ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
