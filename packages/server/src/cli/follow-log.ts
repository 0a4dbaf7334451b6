import { setTimeout as sleep } from 'node:timers/promises';
import { ServerAway, streamFromServer } from '../control/control-client.ts';
import { type Json, objectOf, textOf } from '../kit/json-values.ts';

interface Following {
  readonly input: Readonly<Record<string, unknown>>;
  readonly onRecord: (record: Json) => void;
  /** To whoever watches, besides the records. */
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
  readonly retryMilliseconds?: number;
}

const RETRY_MILLISECONDS = 1_000;
/** More than one look of the server sends. */
const MOST_REMEMBERED = 2_000;

/** Shows a tenant's log as the server tells it. Where the server ends, it waits for the next one and goes on behind the last record. */
export async function followLog(
  dataDir: string,
  { input, onRecord, tell, signal, retryMilliseconds = RETRY_MILLISECONDS }: Following,
): Promise<void> {
  const isNews = createMemory();
  let position: string | undefined;
  let heardAt = 0;
  let isAway = false;

  function hear(told: Json): void {
    if (isAway) tell('The server is back. What follows comes after the last record.');
    isAway = false;
    position = textOf(told.position);
    heardAt = performance.now();
  }

  for (;;) {
    const seconds_away = Math.ceil((performance.now() - heardAt) / 1000);
    try {
      return await streamFromServer(dataDir, {
        verb: 'logs-tail',
        input: { ...input, ...(position !== undefined && { resume: { position, seconds_away } }) },
        async onData(piece) {
          const record = objectOf(JSON.parse(piece.toString()));
          if (isNews(record)) onRecord(record);
        },
        onProgress: hear,
        signal,
      });
    } catch (cause) {
      if (signal.aborted) return;
      // Never reached: whoever asked should know at once.
      if (!(cause instanceof ServerAway) || position === undefined) throw cause;
      if (!isAway) tell('The server has ended. Waiting for it to come back …');
      isAway = true;
      await sleep(retryMilliseconds, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }
}

/** What was sent before the server could say how far it was comes again. */
function createMemory(): (record: Json) => boolean {
  const known = new Set<string>();
  return (record) => {
    const id = textOf(record.log_id) ?? textOf(record.execution_id);
    if (id === undefined) return true;
    if (known.has(id)) return false;
    known.add(id);
    for (const oldest of known) {
      if (known.size <= MOST_REMEMBERED) break;
      known.delete(oldest);
    }
    return true;
  };
}
