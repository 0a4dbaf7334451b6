import { numberOf } from '../../../kit/json-values.ts';
import { unitOf } from '../posting/posting-sink.ts';
import type { CreateSink, Delivery, SinkSettings } from '../sink.ts';
import { createLogFile } from './log-file.ts';

const USUAL_MEGABYTES = 100;
const MOST_MEGABYTES = 10_000;
const MOST_DAYS = 3_650;
/** A tenant may make streams as it likes, and each of them copies its log: the database needs the rest of the disk. */
const LEAST_FREE_BYTES = 500_000_000;
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Goes away by itself, as a full disk may; what else there is, is somebody's mistake. */
const PASSING = new Set([...FULL, 'EIO', 'EMFILE', 'ENFILE', 'EAGAIN', 'EINTR', 'EBUSY', 'ESTALE']);

/** Lines of JSON in a folder of the operator's choice: nothing that a tenant sends decides about a path. */
export const createFileSink: CreateSink = (settings, parts) => {
  const file = createLogFile({
    root: parts.folder,
    folders: [parts.tenantId, parts.streamId],
    mostBytes: (numberOf(settings.fileMaxMegabytes) ?? USUAL_MEGABYTES) * 1_000_000,
    keepDays: numberOf(settings.fileKeepDays),
    leastFreeBytes: parts.leastFreeBytes ?? LEAST_FREE_BYTES,
  });
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other, whoever sends. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
  return {
    mostEvents: 500,
    mostBytes: 1_000_000,
    mostInFlight: 1,
    send: (events, { signal }) =>
      inTurn(async () => {
        if (signal.aborted) return { ok: false, verdict: 'retry', problem: 'The attempt was stopped.' };
        try {
          await file.append(`${events.map(unitOf).join('\n')}\n`, parts.now());
          return { ok: true };
        } catch (error) {
          return failureOfFile(error);
        }
      }),
    close: () => inTurn(() => file.close()),
  };
};

export function faultOfFileSettings({ fileMaxMegabytes, fileKeepDays }: SinkSettings): string | undefined {
  if (fileMaxMegabytes !== undefined && !isWithin(fileMaxMegabytes, MOST_MEGABYTES))
    return `fileMaxMegabytes must be a number from 1 to ${MOST_MEGABYTES}.`;
  if (fileKeepDays !== undefined && !isWithin(fileKeepDays, MOST_DAYS))
    return `fileKeepDays must be a number from 1 to ${MOST_DAYS}.`;
  return undefined;
}

function isWithin(value: unknown, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
}

/** In words without the path, which is the operator's. */
function failureOfFile(error: unknown): Delivery {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === undefined) throw error;
  const problem = FULL.has(code) ? 'The disk is full.' : `The file can't be written (${code}).`;
  return { ok: false, verdict: PASSING.has(code) ? 'retry' : 'hold', problem };
}
