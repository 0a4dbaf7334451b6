import { isDatabaseAway } from '../db/database-away.ts';
import type { Log } from '../kit/log.ts';
import type { ConsoleStore, NewConsole } from './console-store.ts';

interface Parts {
  readonly insert: ConsoleStore['insert'];
  readonly now: () => Date;
  readonly log: Log;
}

export interface ConsoleWriter {
  /** Nobody waits for it: output is there for its author a moment later, and a login is no slower for it. */
  write(console: Omit<NewConsole, 'expiresAt'>): void;
  /** Writes what was taken. */
  stop(): Promise<void>;
}

const KEPT_MILLISECONDS = 86_400_000;
const DELAY_MILLISECONDS = 100;
const MOST_WAITING = 1_000;
const BATCH = 100;
/** Of one tenant in one process: what comes beyond it in a minute is not kept. */
const CHARACTERS_PER_MINUTE = 262_144;
const MINUTE = 60_000;

/** Keeps what tenant code prints, off the path of logins; a database that is slow or away costs output, and nothing else. */
export function createConsoleWriter({ insert, now, log }: Parts): ConsoleWriter {
  const waiting: NewConsole[] = [];
  const budgets = new Map<string, number>();
  let minute = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  function write(console: Omit<NewConsole, 'expiresAt'>): void {
    const time = now().getTime();
    if (waiting.length >= MOST_WAITING || !spend(console, time)) return;
    waiting.push({ ...console, expiresAt: new Date(time + KEPT_MILLISECONDS) });
    timer ??= setTimeout(() => void flush(), DELAY_MILLISECONDS).unref();
  }

  function spend({ tenantId, lines }: Omit<NewConsole, 'expiresAt'>, time: number): boolean {
    const current = Math.floor(time / MINUTE);
    if (current !== minute) budgets.clear();
    minute = current;
    const size = lines.reduce((sum, { text }) => sum + text.length + 100, 0);
    const left = (budgets.get(tenantId) ?? CHARACTERS_PER_MINUTE) - size;
    if (left >= 0) budgets.set(tenantId, left);
    return left >= 0;
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
    await writing;
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      try {
        await insert(waiting.splice(0, BATCH));
      } catch (error) {
        if (!isDatabaseAway(error)) log.error('console output of tenant code could not be kept', { error });
      }
    }
  }

  return { write, stop: flush };
}
