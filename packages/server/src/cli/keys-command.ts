import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { CommandError } from '../control/control-client.ts';
import { describeReset } from './reset-report.ts';

/** `gatewright keys reset` */
export function keysCommand(): Command {
  const keys = new Command('keys').description('The key that seals keys and secrets in the database.');
  keys
    .command('reset')
    .description(
      'For an installation whose secret.key, or GATEWRIGHT_SECRET, is lost for good: makes a new one, and new signing keys and ' +
        'secrets for every tenant. Passwords, sessions and refresh tokens stay. No server may run.',
    )
    .option('--yes', 'what was sealed with the lost key is given up')
    .option('--json', 'print JSON, the new secrets included')
    .action(async ({ yes, json }: { yes?: boolean; json?: boolean }) => {
      if (!yes)
        throw new CommandError(
          'This gives up all that the lost key has sealed: signing keys, client secrets, signing secrets of APIs. Take a copy of the database first, then say --yes.',
        );
      const config = readConfig(process.env);
      process.umask(0o077);
      const { resetLostKey } = await import('../start/offline.ts');
      const reset = await resetLostKey(config, { info: () => {} });
      process.stdout.write(`${json ? JSON.stringify({ reset }) : describeReset(reset, config.dataDir)}\n`);
    });
  return keys;
}
