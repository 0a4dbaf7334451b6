import { fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HashReply, HashRequest } from './hash-job.ts';

const PROGRAM = fileURLToPath(new URL('./hash-worker.ts', import.meta.url));

/** A child that hashes. It answers in order; when it dies, whatever it owed is rejected. */
export interface HashProcess {
  readonly pid: number | undefined;
  /** Requests that it has not answered yet, and places that are held. */
  load(): number;
  /** Keeps a place for a request that is not complete yet; the answer gives it back. */
  hold(): () => void;
  run(request: HashRequest): Promise<HashReply>;
  /** Ends it at once; resolves when it is gone. */
  end(): Promise<void>;
}

/** Why a request was not answered: its process is gone. `begun` tells whether it was the one being hashed. */
export class HashProcessEnded extends Error {
  readonly begun: boolean;

  constructor(begun: boolean) {
    super('A hash process ended before it answered.');
    this.begun = begun;
  }
}

interface Owed {
  readonly resolve: (reply: HashReply) => void;
  readonly reject: (reason: HashProcessEnded) => void;
}

export function startHashProcess(needs: { jobTimeoutMs: number; onEnd: (self: HashProcess) => void }): HashProcess {
  const child = fork(PROGRAM, {
    env: environment(),
    execArgv: ['--max-old-space-size=64'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let owed: Owed[] = [];
  let held = 0;
  let watchdog: NodeJS.Timeout | undefined;
  let settleGone = () => {};
  const gone = new Promise<void>((resolve) => {
    settleGone = resolve;
  });

  /** A hung hash can only be ended with its process; an idle child keeps nobody awake. */
  function watch(): void {
    clearTimeout(watchdog);
    if (owed.length === 0) {
      child.unref();
      child.channel?.unref();
      return;
    }
    child.ref();
    child.channel?.ref();
    watchdog = setTimeout(() => child.kill('SIGKILL'), needs.jobTimeoutMs);
  }

  function ended(): void {
    clearTimeout(watchdog);
    const lost = owed;
    owed = [];
    needs.onEnd(self);
    // The last one first: each goes back to the front of its line.
    for (let index = lost.length - 1; index >= 0; index--) lost[index]?.reject(new HashProcessEnded(index === 0));
    settleGone();
  }

  child.on('message', (reply: HashReply) => {
    owed.shift()?.resolve(reply);
    watch();
  });
  // 'error' comes instead of 'exit' where the process could not be started, and besides it where the channel broke.
  child.on('error', () => (child.pid === undefined ? ended() : child.kill('SIGKILL')));
  child.on('exit', ended);

  const self: HashProcess = {
    pid: child.pid,
    load: () => owed.length + held,
    hold() {
      held++;
      return () => {
        held--;
      };
    },
    run(request) {
      return new Promise((resolve, reject) => {
        owed.push({ resolve, reject });
        if (owed.length === 1) watch();
        // A failed write means that the process is gone or going: 'exit' rejects what it owed.
        child.send(request, () => {});
      });
    },
    async end() {
      child.ref();
      child.kill('SIGKILL');
      await gone;
    },
  };
  return self;
}

/** Nothing of the server's environment: it holds DATABASE_URL and GATEWRIGHT_SECRET. */
function environment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir();
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) };
}
