import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import type { Log } from '../kit/log.ts';
import { createSnapshotGatherer } from './gather-snapshots.ts';
import { restartDelay } from './restart-delay.ts';
import type { Served, ToPrimary, ToWorker } from './worker-messages.ts';

export interface WorkerPool extends Served {
  /** Every worker, and each that comes later, may say that it is ready. */
  announceStarted(): void;
  /** Replaces one worker after the other, each once its successor listens. */
  replaceAll(): Promise<void>;
  /** Lets requests under way finish, and ends the workers; by force after the deadline. */
  close(deadlineMilliseconds: number): Promise<void>;
}

interface Parts {
  readonly count: number;
  readonly poolOptions: pg.PoolConfig;
  readonly log: Log;
  /** What this process has counted, for /metrics. */
  readonly snapshot: () => Promise<object>;
}

const ENTRY = fileURLToPath(new URL('../worker.ts', import.meta.url));

/**
 * The processes that serve, behind one port: they share its listening socket, and whoever is free accepts
 * (docs/decisions/0020). A worker that dies is replaced; when this process dies, the workers end by themselves.
 */
export async function startWorkers({ count, poolOptions, log, snapshot }: Parts): Promise<WorkerPool> {
  // Handed out by this process instead, connections on their way to a worker that dies would hang for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: ENTRY, args: [] });
  const living = new Set<Worker>();
  /** Asked to end: their end is no fault. */
  const retired = new Set<Worker>();
  const snapshots = createSnapshotGatherer(snapshot);
  let isStarted = false;
  let isClosing = false;
  let deaths = 0;

  /** Resolves once it listens. */
  async function launch(): Promise<Served> {
    const worker = cluster.fork();
    living.add(worker);
    const began = performance.now();
    let served: Served | undefined;
    const listening = Promise.withResolvers<Served>();
    // Whoever launches may have given up on it.
    listening.promise.catch(() => {});
    worker.on('message', (message: ToPrimary) => {
      if (message.type === 'failed') return listening.reject(new Error(message.message));
      if (message.type === 'count') return snapshots.receive(message);
      if (message.type === 'countOthers') return void answerCount(worker, message.id);
      served = message;
      listening.resolve(message);
    });
    worker.on('error', () => {});
    worker.once('exit', (code, signal) => {
      living.delete(worker);
      listening.reject(new Error(`A worker ended with ${signal ?? code} before it listened.`));
      const isExpected = retired.delete(worker) || isClosing;
      if (isExpected || !served) return;
      const lived = performance.now() - began;
      deaths = lived < restartDelay.settled ? deaths + 1 : 0;
      log.warn(`Worker ${worker.process.pid} ended with ${signal ?? code}; the others go on, and another one starts.`);
      void replaceDead();
    });
    tell(worker, { type: 'serve', poolOptions, isStarted });
    return listening.promise;
  }

  async function answerCount(asker: Worker, id: number): Promise<void> {
    const others = [...living].filter((worker) => worker !== asker && worker.isConnected());
    const gathered = await snapshots.gather(others.map((worker) => (question) => tell(worker, question)));
    tell(asker, { type: 'counted', id, snapshots: gathered });
  }

  async function replaceDead(): Promise<void> {
    for (;;) {
      await wait(restartDelay.after(deaths), undefined, { ref: false });
      if (isClosing) return;
      try {
        await launch();
        return;
      } catch (error) {
        deaths++;
        if (!isClosing) log.error('a worker could not be started; another try follows', { error });
      }
    }
  }

  /** Its requests under way finish; what hangs is ended by force. */
  async function retire(worker: Worker, deadlineMilliseconds: number): Promise<void> {
    if (!living.has(worker)) return;
    retired.add(worker);
    const ended = once(worker, 'exit');
    tell(worker, { type: 'stop' });
    const force = setTimeout(() => worker.process.kill('SIGKILL'), deadlineMilliseconds);
    await ended;
    clearTimeout(force);
  }

  async function replaceAll(): Promise<void> {
    for (const worker of [...living]) {
      if (isClosing) return;
      await launch();
      await retire(worker, RETIRE_MILLISECONDS);
    }
  }

  async function close(deadlineMilliseconds: number): Promise<void> {
    isClosing = true;
    await Promise.all([...living].map((worker) => retire(worker, deadlineMilliseconds)));
  }

  try {
    const [first] = await Promise.all(Array.from({ length: count }, launch));
    if (!first) throw new Error('There is no worker.');
    return {
      http: first.http,
      https: first.https,
      caFile: first.caFile,
      announceStarted() {
        isStarted = true;
        for (const worker of living) tell(worker, { type: 'started' });
      },
      replaceAll,
      close,
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

/** Longer than the longest request may take. */
const RETIRE_MILLISECONDS = 30_000;

/** A worker that is ending hears nothing any more. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => {});
}
