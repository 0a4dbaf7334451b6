import { Command, InvalidArgumentError } from 'commander';
import { readConfig } from '../config.ts';
import { createProgressLine, inBytes } from './progress-line.ts';
import { describeReset } from './reset-report.ts';

/** `gatewright restore <file>` */
export function restoreCommand(): Command {
  return new Command('restore')
    .description(
      'Read a backup into an empty database: the embedded one of a new data folder, or DATABASE_URL. No server may run there. ' +
        "It needs the key of the backup's installation: its secret.key in the data folder, or GATEWRIGHT_SECRET.",
    )
    .argument('<file>', 'what `gatewright backup` wrote')
    .option('--without-key', 'the key is lost for good: make new signing keys and secrets; passwords and sessions stay')
    .option(
      '--log-epoch <number>',
      'where this backup was restored and used before: a number that was not used yet',
      epoch,
    )
    .option('--json', 'print JSON')
    .action(async (file: string, options: { withoutKey?: boolean; logEpoch?: number; json?: boolean }) => {
      const config = readConfig(process.env);
      process.umask(0o077);
      const { restore } = await import('../start/offline.ts');
      const line = createProgressLine();
      let rowsSoFar = 0;
      const { reset, ...facts } = await restore(
        config,
        { info: () => {} },
        {
          path: file,
          withoutKey: options.withoutKey === true,
          logEpoch: options.logEpoch,
          onProgress({ table, rows, bytes }) {
            rowsSoFar += rows;
            line.show(`${table}: ${inBytes(bytes)}; ${rowsSoFar} rows so far`);
          },
        },
      ).finally(() => line.clear());
      const { madeAt, gatewright, logEpoch, ...counts } = facts;
      const text = options.json
        ? JSON.stringify({ file, made_at: madeAt, gatewright, ...counts, log_epoch: logEpoch, ...(reset && { reset }) })
        : `Restored ${counts.rows} rows of ${counts.tables} tables, as of ${madeAt}. Start the server now.${reset ? `\n${describeReset(reset, config.dataDir)}` : ''}`;
      process.stdout.write(`${text}\n`);
    });
}

function epoch(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('It is a number from 1 to 999.');
  return Number(text);
}
