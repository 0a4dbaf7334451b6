import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FileLock, lockFile } from '../kit/file-lock.ts';
import { type Json, objectOf, textOf } from '../kit/json-values.ts';
import { ExportError } from './export-error.ts';
import type { ExportSettings } from './export-settings.ts';
import type { Checkpoint } from './run-export.ts';

export interface StateFile extends Checkpoint {
  /** What the last run came to, for whoever looks into the file. */
  note(run: Json): Promise<void>;
  release(): void;
}

const VERSION = 1;

/** One file a tenant and webhook: an export to another webhook has a checkpoint of its own. */
export function defaultStateFile(
  dataDir: string,
  { origin, webhookUrl }: Pick<ExportSettings, 'origin' | 'webhookUrl'>,
): string {
  const host = new URL(origin).host.replace(/[^a-z0-9.-]/g, '_');
  const webhook = createHash('sha256').update(webhookUrl).digest('hex').slice(0, 12);
  return join(dataDir, 'log-export', `${host}-${webhook}.json`);
}

/** The checkpoint in a file, for one run at a time. It is there as a whole, old or new, whenever the machine stops. */
export async function openStateFile(path: string, origin: string): Promise<StateFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const lock = acquire(path);
  try {
    let state = await read(path, origin);
    const write = async (change: Json) => {
      state = { ...state, ...change };
      await writeWhole(path, state);
    };
    return {
      load: async () => textOf(state.checkpoint),
      save: (logId) => write({ checkpoint: logId, updated_at: new Date().toISOString() }),
      note: (run) => write({ last_run: run }),
      release: lock.release,
    };
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

function acquire(path: string): FileLock {
  let lock: FileLock | undefined;
  try {
    lock = lockFile(`${path}.lock`);
  } catch (cause) {
    throw new ExportError(`${path} can't be locked (${cause instanceof Error ? cause.message : cause}).`);
  }
  if (!lock) throw new ExportError(`Another export is at work with ${path}: one run at a time.`);
  return lock;
}

/** What is no state of this tenant is never taken for the beginning: that would send everything once more. */
async function read(path: string, origin: string): Promise<Json> {
  const fresh: Json = { version: VERSION, origin };
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new ExportError(`${path} can't be read (${cause.code}).`);
  });
  if (text === undefined) return fresh;
  const state = objectOf(parse(text));
  if (state.version !== VERSION)
    throw new ExportError(
      `${path} is no state of an export. Name another file with --state, or delete it to begin with the oldest event.`,
    );
  if (state.origin !== origin)
    throw new ExportError(
      `${path} belongs to the log of ${String(state.origin).slice(0, 300)}. Name another file with --state.`,
    );
  return state;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function writeWhole(path: string, state: Json): Promise<void> {
  const draft = `${path}.part`;
  const file = await open(draft, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(state, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
}
