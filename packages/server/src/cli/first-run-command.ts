import { Command } from 'commander';
import { forgetFirstRun } from '../tenants/first-run.ts';
import { dataFolder } from './data-folder.ts';

/** `gatewright first-run forget`: once the secrets are kept elsewhere. */
export function firstRunCommand(): Command {
  const firstRun = new Command('first-run').description('The secrets that the first start made.');
  firstRun
    .command('forget')
    .description('Delete first-run.json. What is in it can not be shown again.')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const forgotten = await forgetFirstRun(dataFolder());
      process.stdout.write(
        json
          ? `${JSON.stringify({ forgotten })}\n`
          : forgotten
            ? 'first-run.json is deleted.\n'
            : 'There was no first-run.json.\n',
      );
    });
  return firstRun;
}
