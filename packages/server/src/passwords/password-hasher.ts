import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { createFairQueue } from '../kit/fair-queue.ts';
import type { HashReply, HashRequest } from './hash-job.ts';
import { type HashProcess, HashProcessEnded } from './hash-process.ts';
import { createHashProcesses } from './hash-processes.ts';
import { passwordErrors } from './password-errors.ts';
import { isUsablePassword, MAX_PASSWORD_BYTES } from './password-text.ts';
import { createRefusalPace } from './refusal-pace.ts';

export interface PasswordHasher {
  /** An argon2id hash in PHC format. */
  hash(tenantId: string, password: string): Promise<string>;
  /**
   * Without a stored hash (no such account) it does the same work and says no. `outdated` asks for a new hash after a
   * login with the right password; it says nothing where `valid` is false.
   */
  verify(tenantId: string, password: string, stored: StoredHash): Promise<PasswordVerdict>;
  /** Refuses what waits and ends every child. */
  stop(): Promise<void>;
  /** The children that live now: they start with work and end when idle. */
  processIds(): readonly number[];
  /** Passwords that wait for a child. */
  waiting(): number;
}

/** A function is called when its turn to be hashed is near: 500 logins at once must not become 500 queries at once. */
export type StoredHash = string | undefined | (() => Promise<string | undefined>);

export interface PasswordVerdict {
  readonly valid: boolean;
  readonly outdated: boolean;
}

export interface PasswordHasherOptions {
  /** Hash processes at most; the number of cores unless several servers share them. */
  readonly workers?: number;
  /** Passwords that may wait at once; some six seconds of work unless said otherwise. */
  readonly queueLimit?: number;
  readonly idleMs?: number;
  readonly jobTimeoutMs?: number;
}

interface Job {
  readonly tenantId: string;
  request: HashRequest;
  /** Looks up what the request lacks. */
  prepare: (() => Promise<HashRequest>) | undefined;
  readonly resolve: (reply: HashReply) => void;
  readonly reject: (reason: unknown) => void;
  attempts: number;
}

const MAX_ATTEMPTS = 2;
const WAITING_PER_WORKER = 500;
const TYPICAL_HASH_MS = 25;

export function createPasswordHasher(options: PasswordHasherOptions = {}): PasswordHasher {
  const workers = Math.max(1, options.workers ?? availableParallelism());
  const queue = createFairQueue<Job>(options.queueLimit ?? workers * WAITING_PER_WORKER);
  const processes = createHashProcesses({
    limit: workers,
    idleMs: options.idleMs ?? 30_000,
    jobTimeoutMs: options.jobTimeoutMs ?? 30_000,
  });
  const restOf = createRefusalPace();
  let stopped = false;

  function submit(tenantId: string, request: HashRequest, prepare?: Job['prepare']): Promise<HashReply> {
    return new Promise((resolve, reject) => {
      if (stopped) return reject(passwordErrors.stopped());
      const refused = queue.push(tenantId, { tenantId, request, prepare, resolve, reject, attempts: 0 });
      refused?.reject(passwordErrors.tooMany({}, { headers: { 'Retry-After': retryAfter() } }));
      work();
    });
  }

  function work(): void {
    while (queue.size() > 0) {
      const process = processes.ready();
      const job = process && queue.take();
      if (!process || !job) return;
      if (job.prepare) void prepare(process, job, job.prepare);
      else run(process, job);
    }
  }

  function run(process: HashProcess, job: Job): void {
    process
      .run(job.request)
      .then(job.resolve, (cause: unknown) => lost(job, cause))
      .finally(work);
  }

  /** Looks up while the child hashes for somebody else: its second place is kept meanwhile. */
  async function prepare(process: HashProcess, job: Job, lookUp: () => Promise<HashRequest>): Promise<void> {
    const release = process.hold();
    try {
      job.request = await lookUp();
      job.prepare = undefined;
    } catch (cause) {
      job.reject(cause);
    }
    release();
    if (stopped) job.reject(passwordErrors.stopped());
    // The child may have ended in the meantime.
    else if (!job.prepare) {
      const ready = processes.ready();
      if (ready) run(ready, job);
      else queue.putBack(job.tenantId, job);
    }
    work();
  }

  /** Its process died. The hash may be what killed it, so it gets one more try, in a process that starts anew. */
  function lost(job: Job, cause: unknown): void {
    if (!(cause instanceof HashProcessEnded) || cause.begun) job.attempts++;
    if (stopped || job.attempts >= MAX_ATTEMPTS) job.reject(passwordErrors.stopped({}, { cause }));
    else queue.putBack(job.tenantId, job);
  }

  function retryAfter(): string {
    const seconds = Math.ceil((queue.size() * TYPICAL_HASH_MS) / workers / 1_000);
    return String(Math.min(30, Math.max(1, seconds)));
  }

  return {
    async hash(tenantId, password) {
      if (!isUsablePassword(password)) throw passwordErrors.unusable({ bytes: MAX_PASSWORD_BYTES });
      const { hash } = await submit(tenantId, { kind: 'hash', password });
      if (hash === undefined) throw new Error('A hash process answered without a hash.');
      return hash;
    },

    async verify(tenantId, password, stored) {
      // Depends on the password alone, so the quick answer tells nothing about an account.
      if (!isUsablePassword(password)) return { valid: false, outdated: false };
      const request = (hash: string | undefined): HashRequest => ({
        kind: 'verify',
        password,
        ...(hash !== undefined && { stored: hash }),
      });
      const reply = await (typeof stored === 'function'
        ? submit(tenantId, request(undefined), async () => request(await stored()))
        : submit(tenantId, request(stored)));
      const rest = restOf(tenantId, reply);
      if (rest > 0) await wait(rest);
      return { valid: reply.valid, outdated: reply.outdated };
    },

    async stop() {
      stopped = true;
      for (const job of queue.drain()) job.reject(passwordErrors.stopped());
      await processes.end();
    },

    processIds: () => processes.ids(),
    waiting: () => queue.size(),
  };
}
