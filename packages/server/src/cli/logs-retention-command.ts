import { Command } from 'commander';
import { callServer } from '../control/control-client.ts';
import { dataFolder } from './data-folder.ts';

interface Options {
  readonly tenant?: string;
  readonly json?: boolean;
}

/** `gatewright logs retention` */
export function logsRetentionCommand(): Command {
  return new Command('retention')
    .description('Show how many days the log of a tenant is kept, or say how many: 1 to 3650, or default (30).')
    .argument('[days]', 'from now on; older events are gone for every reader at once')
    .option('--tenant <name>', 'the tenant; the default one where it is left out')
    .option('--json', 'print JSON')
    .action(async (days: string | undefined, { tenant, json }: Options) => {
      const input = { tenant, days };
      const answer = await callServer(
        dataFolder(),
        days === undefined ? 'logs-retention' : 'logs-set-retention',
        input,
      );
      process.stdout.write(`${json ? JSON.stringify(answer, null, 2) : describe(answer)}\n`);
    });
}

function describe({ tenant, days, is_default }: Readonly<Record<string, unknown>>): string {
  return `The log of the tenant '${tenant}' is kept for ${days} days${is_default ? ' (the default)' : ''}.`;
}
