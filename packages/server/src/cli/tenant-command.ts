import { Command, Option } from 'commander';
import { callServer } from '../control/control-client.ts';
import { dataFolder } from './data-folder.ts';

const environmentOption = () =>
  new Option('--environment <name>', 'the environment tag').choices(['development', 'staging', 'production']);

/** `gatewright tenant create | set-environment`. */
export function tenantCommand(): Command {
  const tenant = new Command('tenant').description('Make tenants and tag their environment. A server must be running.');
  tenant
    .command('create <name>')
    .description(
      'Make a tenant with keys, clients, an API, an administrator and a user; prints their secrets, this once. ' +
        'The first tenant of an installation becomes its default tenant: it answers at GATEWRIGHT_ORIGIN, or at localhost where ' +
        'that is not set. Further ones answer at {tenant}.{base domain}.',
    )
    .addOption(environmentOption().default('production'))
    .option('--json', 'print the object of first-run.json')
    .action(async (name: string, { environment, json }: { environment: string; json?: boolean }) => {
      const { is_default, ...made } = await callServer(dataFolder(), 'tenant-create', { name, environment });
      print(json ? JSON.stringify(made, null, 2) : describe(made, is_default === true));
    });
  tenant
    .command('set-environment <name> <environment>')
    .description(
      'Tag a tenant as development, staging or production. Production tenants refuse http://localhost:* entries.',
    )
    .option('--json', 'print JSON')
    .action(async (name: string, environment: string, { json }: { json?: boolean }) => {
      const result = await callServer(dataFolder(), 'tenant-set-environment', { name, environment });
      print(json ? JSON.stringify(result) : `The tenant '${name}' is now tagged ${environment}.`);
    });
  return tenant;
}

function describe(made: Readonly<Record<string, unknown>>, isDefault: boolean): string {
  const what = isDefault ? `Made the default tenant '${made.tenant}'` : `Made the tenant '${made.tenant}'`;
  return `${what} at ${made.origin}. These secrets are shown only now:\n${JSON.stringify(made, null, 2)}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
