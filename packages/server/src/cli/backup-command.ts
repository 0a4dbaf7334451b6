import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { CommandError, streamFromServer } from '../control/control-client.ts';
import { randomSecret } from '../kit/ids.ts';
import { dataFolder } from './data-folder.ts';
import { createProgressLine, inBytes } from './progress-line.ts';

interface Written {
  tables: number;
  rows: number;
  /** Before compression. */
  bytes: number;
  fileBytes: number;
}

/** `gatewright backup [file|-]` */
export function backupCommand(): Command {
  return new Command('backup')
    .description(
      'Write all tenants of the running server into one file, as they are at one moment; logins go on meanwhile. ' +
        'Keys and secrets are in it as ciphertext: keep secret.key, or GATEWRIGHT_SECRET, in another place.',
    )
    .argument('[file]', 'where to; - is standard output', defaultName())
    .option('--overwrite', 'replace the file where there is one')
    .option('--json', 'print JSON')
    .action(async (file: string, { overwrite, json }: { overwrite?: boolean; json?: boolean }) => {
      const written = file === '-' ? await toStdout() : await toFile(resolve(file), overwrite === true);
      const text = json
        ? JSON.stringify({ file, ...written, file_bytes: written.fileBytes, fileBytes: undefined })
        : `Wrote ${file === '-' ? 'the backup' : file}: ${written.rows} rows of ${written.tables} tables, ${inBytes(written.fileBytes)}.`;
      (file === '-' ? process.stderr : process.stdout).write(`${text}\n`);
    });
}

function defaultName(): string {
  return `gatewright-${new Date().toISOString().slice(0, 16).replaceAll(':', '')}.backup`;
}

/** The file appears whole, on disk and readable by its owner alone, or not at all. */
async function toFile(file: string, overwrite: boolean): Promise<Written> {
  if (!overwrite && (await stat(file).catch(() => undefined)))
    throw new CommandError(`${file} is there already: name another file, or say --overwrite.`);
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${basename(file)}.${randomSecret(6)}.part`);
  const cleanUp = stopSignal();
  try {
    const handle = await open(draft, 'wx', 0o600);
    let written: Written;
    try {
      written = await receive((piece) => handle.writeFile(piece), cleanUp.signal);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
    await syncFolder(folder);
    return written;
  } catch (cause) {
    await rm(draft, { force: true });
    throw explained(cause, file);
  } finally {
    cleanUp.forget();
  }
}

async function toStdout(): Promise<Written> {
  const { stdout } = process;
  if (stdout.isTTY)
    throw new CommandError('A backup is no text for a terminal: send it on with | or >, or name a file.');
  const cleanUp = stopSignal();
  try {
    // The callback tells; without a listener the same error would end the process.
    stdout.on('error', () => {});
    return await receive((piece) => writeTo(stdout, piece), cleanUp.signal);
  } catch (cause) {
    throw explained(cause, 'standard output');
  } finally {
    cleanUp.forget();
  }
}

function writeTo(stream: NodeJS.WriteStream, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

async function receive(write: (piece: Buffer) => Promise<void>, signal: AbortSignal): Promise<Written> {
  const written: Written = { tables: 0, rows: 0, bytes: 0, fileBytes: 0 };
  const line = createProgressLine();
  try {
    await streamFromServer(dataFolder(), {
      verb: 'backup',
      input: {},
      signal,
      async onData(piece) {
        await write(piece);
        written.fileBytes += piece.length;
      },
      onProgress({ table, rows, bytes }) {
        written.tables++;
        written.rows += Number(rows);
        written.bytes += Number(bytes);
        line.show(`${table}: ${written.rows} rows, ${inBytes(written.bytes)} so far`);
      },
    });
  } finally {
    line.clear();
  }
  return written;
}

function explained(cause: unknown, file: string): unknown {
  if (!(cause instanceof Error) || cause instanceof CommandError) return cause;
  if (cause.name === 'AbortError') return new CommandError(`Stopped; ${file} was not written.`);
  const code = 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return new CommandError(`There is no room for the backup at ${file} (${code}); nothing was left there.`);
  return new CommandError(`The backup could not be written to ${file} (${cause.message}).`);
}

/** Ctrl-C and SIGTERM leave nothing behind. */
function stopSignal() {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  return {
    signal: stopping.signal,
    forget(): void {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop);
    },
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
