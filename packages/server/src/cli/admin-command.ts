import { Command } from 'commander';
import { callServer } from '../control/control-client.ts';
import { dataFolder } from './data-folder.ts';

/** `gatewright admin reset` */
export function adminCommand(): Command {
  const admin = new Command('admin').description('The administrators of a tenant. A server must be running.');
  admin
    .command('reset')
    .description(
      'Give an administrator a new random password, printed this once; ends the sessions and tokens of that person and lifts a block.',
    )
    .option('--tenant <name>', 'the tenant; the default one unless said')
    .option('--email <address>', 'which administrator; the only one unless said')
    .option('--json', 'print JSON')
    .action(async ({ tenant, email, json }: { tenant?: string; email?: string; json?: boolean }) => {
      const made = await callServer(dataFolder(), 'admin-reset', { tenant, email });
      process.stdout.write(
        json
          ? `${JSON.stringify(made)}\n`
          : `The administrator ${made.email} of the tenant '${made.tenant}' has a new password, shown only now: ${made.password}\n`,
      );
    });
  return admin;
}
