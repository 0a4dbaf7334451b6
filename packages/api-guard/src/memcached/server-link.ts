import { CacheAwayError } from '../caches/token-cache.ts';
import { type Connection, openConnection } from './open-connection.ts';
import { type Asked, createPipeline, type Question } from './pipeline.ts';
import type { Answer } from './read-answers.ts';
import type { ServerAddress } from './server-address.ts';

export interface ServerChange {
  readonly server: string;
  readonly state: 'up' | 'away';
  /** Why it is away. */
  readonly reason?: string;
}

export interface ServerLink {
  readonly name: string;
  /** Fails with a CacheAwayError, after the deadline at the latest. */
  ask(question: Question): Promise<Answer>;
  close(): void;
}

export interface ServerLinkOptions {
  readonly deadlineMs: number;
  readonly onChange?: ((change: ServerChange) => void) | undefined;
}

const FIRST_PAUSE_MS = 20;
const LAST_PAUSE_MS = 1_000;
/** The server sends, but the oldest question has no answer: whatever it sends, it is of no use. */
const STUCK_MS = 1_000;

/**
 * One server behind a circuit. It is `starting` with the first connection, and once more where one that was of use is lost: then
 * questions wait for it, within their deadline. A deadline in silence or a failed attempt makes it `away`: questions fail at once,
 * while one attempt at a time, with growing pauses, looks whether it is back.
 */
export function createServerLink(address: ServerAddress, { deadlineMs, onChange }: ServerLinkOptions): ServerLink {
  const { name } = address;
  const pipeline = createPipeline(name);
  let state: 'starting' | 'up' | 'away' | 'closed' = 'starting';
  let awayReason = '';
  let pauseMs = FIRST_PAUSE_MS;
  let isOfUse = false;
  let isWriting = false;
  let told: ServerChange['state'] | undefined;
  let retry: NodeJS.Timeout | undefined;
  let connection = open();

  return { name, ask: (question) => new Promise((resolve, reject) => ask(question, resolve, reject)), close };

  function ask(question: Question, resolve: (answer: Answer) => void, reject: (error: CacheAwayError) => void): void {
    if (state === 'away' || state === 'closed') throw awayError(awayReason);
    let isSettled = false;
    const asked = pipeline.add(question, (outcome) => {
      isSettled = true;
      clearTimeout(deadline);
      if (outcome instanceof CacheAwayError) reject(outcome);
      else resolve(outcome);
    });
    let deadline = setTimeout(expire, deadlineMs);
    if (state === 'up') writeSoon();

    function expire(): void {
      // Where this process was busy the answer may lie unread: in a turn of the event loop timers come before sockets, immediates after.
      setImmediate(() => {
        if (isSettled) return;
        // And the question may have been written late.
        const leftMs = asked.written ? asked.written.at + deadlineMs - performance.now() : 0;
        if (leftMs > 0) deadline = setTimeout(expire, leftMs);
        else overdue(asked);
      });
    }
  }

  function overdue(asked: Asked): void {
    asked.settle(awayError(`it did not answer within ${deadlineMs} ms`));
    const reason = 'it did not answer in time';
    // The attempt goes on; nobody else waits for it.
    if (state === 'starting') goAway(reason);
    if (state !== 'up') return;
    const isSilent = connection.bytesRead() === asked.written?.bytesRead;
    const isStuck = performance.now() - (pipeline.oldest()?.written?.at ?? 0) > STUCK_MS;
    if (!isSilent && !isStuck) return;
    connection.close();
    lost(reason);
  }

  function open(): Connection {
    return openConnection(address, {
      onReady() {
        state = 'up';
        isOfUse = false;
        tell({ server: name, state });
        writeSoon();
      },
      onAnswer(answer) {
        pipeline.answer(answer);
        isOfUse = true;
        pauseMs = FIRST_PAUSE_MS;
      },
      onLost: lost,
    });
  }

  function lost(reason: string): void {
    // Servers and what lies between close connections that rest.
    if (state === 'up' && isOfUse && !pipeline.oldest()) {
      state = 'starting';
      connection = open();
      return;
    }
    goAway(reason);
    retry = setTimeout(() => {
      connection = open();
    }, pauseMs * spread()).unref();
    pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
  }

  function goAway(reason: string): void {
    state = 'away';
    awayReason = reason;
    pipeline.failAll(reason);
    tell({ server: name, state, reason });
  }

  function close(): void {
    state = 'closed';
    awayReason = 'this client of it was closed';
    clearTimeout(retry);
    connection.close();
    pipeline.failAll(awayReason);
  }

  /** What is asked in one turn of the event loop, by however many requests, goes out in one packet. */
  function writeSoon(): void {
    if (isWriting) return;
    isWriting = true;
    setImmediate(() => {
      isWriting = false;
      if (state !== 'up') return;
      const text = pipeline.takeUnwritten({ at: performance.now(), bytesRead: connection.bytesRead() });
      if (text !== '') connection.write(text);
    });
  }

  function tell(change: ServerChange): void {
    if (change.state === told) return;
    told = change.state;
    // Not from inside: what it throws is not the link's.
    if (onChange) queueMicrotask(() => onChange(change));
  }

  function awayError(reason: string): CacheAwayError {
    return new CacheAwayError(`memcached at ${name} is away: ${reason}.`);
  }
}

/** Services that lost a server together don't come back to it at one moment. */
function spread(): number {
  return 0.5 + Math.random() / 2;
}
