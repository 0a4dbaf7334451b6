import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { readConfig } from '../config.ts';
import { CommandError } from '../control/control-client.ts';
import { describeProgress, describeReport, progressToJson, reportToJson } from '../log-export/describe-export.ts';
import { ExportError } from '../log-export/export-error.ts';
import {
  EXPORT_SETTINGS,
  type ExportSetting,
  type GivenSettings,
  readExportSettings,
  settingNames,
} from '../log-export/export-settings.ts';
import { EXPORTED_TYPES } from '../log-export/exported-types.ts';
import type { ExportProgress, ExportReport } from '../log-export/run-export.ts';
import { defaultStateFile, openStateFile } from '../log-export/state-file.ts';
import { trustAuthority } from '../log-export/trust-authority.ts';
import { logTypes } from '../logs/log-types.ts';
import { dataFolder } from './data-folder.ts';
import { printable } from './printable.ts';
import { createProgressLine } from './progress-line.ts';

interface Options {
  readonly state?: string;
  readonly listTypes?: boolean;
  readonly json?: boolean;
}

/** `gatewright export-logs` */
export function exportLogsCommand(): Command {
  const command = new Command('export-logs')
    .description(
      "Send the events of a tenant's log to a webhook, one POST each, from where the last run ended; then end. Any tenant with /api/v2/logs " +
        'will do, Gatewright or Auth0. The first answer other than 200 stops the run, and its batch comes again in the next one. Settings come ' +
        'from the environment or from options. Needs no server here. Ends with 1 where it failed, 130 or 143 after a signal.',
    )
    .option('--state <file>', 'where the checkpoint is kept; a file in the data folder where it is left out')
    .option('--list-types', 'print the types of events with their levels, and end')
    .option('--json', 'print what came of it as JSON, and progress as JSON lines on standard error');
  for (const name of settingNames)
    command.addOption(new Option(`${flagOf(name)} <${placeholderOf(name)}>`, `${name}: ${EXPORT_SETTINGS[name]}`));
  return command.action((options: Options & Readonly<Record<string, unknown>>) =>
    options.listTypes ? listTypes(options) : run(options),
  );
}

async function run(options: Options & Readonly<Record<string, unknown>>): Promise<void> {
  const settings = readExportSettings(givenSettings(options));
  const say = createSpeech(options.json === true);
  for (const note of settings.notes) say.note(note);
  const { GATEWRIGHT_OUTGOING_ALLOW } = process.env;
  const { outgoingAllow } = readConfig(GATEWRIGHT_OUTGOING_ALLOW ? { GATEWRIGHT_OUTGOING_ALLOW } : {});
  const file = options.state === undefined ? defaultStateFile(dataFolder(), settings) : resolve(options.state);
  const state = await openStateFile(file, settings.origin).catch(forPeople);
  const stopping = stopSignal(say.note);
  // Other commands need no HTTP client.
  const { exportOnce } = await import('../log-export/open-export.ts');
  // Of the server of this data folder, where there is one.
  trustAuthority(join(dataFolder(), 'tls', 'ca.pem'));
  try {
    if ((await state.load()) === undefined) say.note(`No checkpoint in ${file}: it begins with the oldest event.`);
    const report = await exportOnce({
      settings,
      allowed: outgoingAllow,
      checkpoint: state,
      onProgress: say.progress,
      onWait: say.note,
      signal: stopping.signal,
    });
    await state.note({ ended_at: new Date().toISOString(), ...reportToJson(report, Date.now()) });
    say.report(report);
    process.exitCode = exitCodeOf(report, stopping.signal);
  } finally {
    state.release();
  }
}

function createSpeech(isJson: boolean) {
  const line = createProgressLine();
  const tell = (words: string, facts: object) => {
    line.clear();
    process.stderr.write(`${isJson ? JSON.stringify(facts) : printable(words, '\n')}\n`);
  };
  let toldAt = 0;
  return {
    note: (words: string) => tell(words, { note: words }),
    /** Where nobody sees a line that is written over: one now and then. */
    progress(progress: ExportProgress): void {
      const words = describeProgress(progress, Date.now());
      if (!isJson && process.stderr.isTTY) {
        line.show(words);
        return;
      }
      if (!isJson && Date.now() - toldAt < PROGRESS_MILLISECONDS) return;
      toldAt = Date.now();
      tell(words, { progress: progressToJson(progress, Date.now()) });
    },
    report(report: ExportReport): void {
      line.clear();
      if (isJson) process.stdout.write(`${JSON.stringify(reportToJson(report, Date.now()))}\n`);
      else for (const words of describeReport(report, Date.now())) process.stderr.write(`${printable(words)}\n`);
    },
  };
}

const PROGRESS_MILLISECONDS = 1_000;
const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

function exitCodeOf({ outcome }: ExportReport, { reason }: AbortSignal): number {
  if (outcome === 'complete') return 0;
  return outcome === 'failed' ? 1 : reason === 'SIGTERM' ? CODES.SIGTERM : CODES.SIGINT;
}

/** The first signal lets requests in flight finish, the second one does not. */
function stopSignal(note: (words: string) => void): AbortController {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(CODES[signal]);
      note('Stopping: requests under way may finish.');
      stopping.abort(signal);
    });
  return stopping;
}

function givenSettings(options: Readonly<Record<string, unknown>>): GivenSettings {
  const values = settingNames.map((name) => [name, options[optionOf(name)] ?? process.env[name]]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function forPeople(cause: unknown): never {
  throw cause instanceof ExportError ? new CommandError(cause.message) : cause;
}

function listTypes({ json }: Options): void {
  const later = Object.values(logTypes).map(({ code }) => code);
  const all = [...new Set([...Object.keys(EXPORTED_TYPES), ...later.toSorted()])].map((type) => ({
    type,
    ...EXPORTED_TYPES[type],
  }));
  const lines = all.map(({ type, level, event }) => `${type.padEnd(44)} ${level ?? '-'}  ${event ?? ''}`.trimEnd());
  const text = json ? JSON.stringify(all, null, 2) : [`${'type'.padEnd(42)} level  event`, ...lines].join('\n');
  process.stdout.write(`${text}\n`);
}

const flagOf = (name: ExportSetting) => `--${name.toLowerCase().replaceAll('_', '-')}`;
const placeholderOf = (name: ExportSetting) => (name.split('_').at(-1) ?? '').toLowerCase();
/** As commander calls it: auth0ClientId. */
const optionOf = (name: ExportSetting) =>
  name.toLowerCase().replace(/_(\w)/g, (_whole, letter: string) => letter.toUpperCase());
