import { setTimeout as sleep } from 'node:timers/promises';
import { type Postmaster, shutDown } from './postmaster.ts';

export interface Supervisor {
  readonly pid: number;
  onExit(listener: (reason: string) => void): void;
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** Starts PostgreSQL again when it ends by itself: the server answers 503 meanwhile, and recovers without a restart. */
export function supervise(
  first: Postmaster,
  relaunch: (signal: AbortSignal) => Promise<Postmaster>,
  log: (message: string) => void,
): Supervisor {
  const listeners: ((reason: string) => void)[] = [];
  const stopping = new AbortController();
  let current = first;
  let stopped: Promise<void> | undefined;
  const watching = watch();

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      const reason = await current.exited;
      if (stopping.signal.aborted) return;
      log(`PostgreSQL ended by itself (${reason}); it is started again.`);
      for (const listener of listeners) listener(reason);
      const next = await relaunchUntilStopped();
      if (next === undefined) return;
      current = next;
      log(`PostgreSQL runs again (process ${next.pid}).`);
    }
  }

  async function relaunchUntilStopped(): Promise<Postmaster | undefined> {
    let told = '';
    for (let pause = FIRST_PAUSE_MS; !stopping.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        // What a killed postmaster started needs a moment to notice, and PostgreSQL refuses to start until it has.
        await sleep(pause, undefined, { signal: stopping.signal });
        return await relaunch(stopping.signal);
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        const isNews = firstLine(message) !== told && pause > FIRST_PAUSE_MS;
        if (isNews && !stopping.signal.aborted) log(message);
        if (isNews) told = firstLine(message);
      }
    }
    return undefined;
  }

  async function stop(): Promise<void> {
    stopping.abort();
    // First what runs now; then, when a start was under way, what came of it.
    const before = current;
    await shutDown(before.pid);
    await watching;
    if (current !== before) await shutDown(current.pid);
  }

  return {
    get pid() {
      return current.pid;
    },
    onExit(listener) {
      listeners.push(listener);
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
