import { setTimeout as sleepFor } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Authentication } from '../users/password-authentication.ts';

const REMEMBERED_CONNECTIONS = 10_000;
const REMEMBERED_RUNS = 32;

interface Parts {
  readonly now?: () => number;
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export type RefusalPace = ReturnType<typeof createRefusalPace>;

/**
 * In a directory that imports its users, a wrong password of an imported one is known here at once, while for everybody
 * else a script has to ask: the time would tell who has an account. So a refusal that needed no script takes as long as one
 * of the last that did. It holds no place anywhere, and right passwords don't wait.
 */
export function createRefusalPace({
  now = () => performance.now(),
  sleep = sleepFor,
  random = Math.random,
}: Parts = {}) {
  const runs = new LRUCache<string, number[]>({ max: REMEMBERED_CONNECTIONS });

  async function wait(key: string): Promise<void> {
    const known = runs.get(key) ?? [];
    const like = known[Math.floor(random() * known.length)];
    if (like !== undefined) await sleep(like);
  }

  return {
    wait,

    /** Runs the script and remembers how long it took. */
    async time<Answer>(key: string, run: () => Promise<Answer>): Promise<Answer> {
      const began = now();
      const answer = await run();
      runs.set(key, [...(runs.get(key) ?? []), now() - began].slice(-REMEMBERED_RUNS));
      return answer;
    },

    /** Holds back a refusal that came without the script. */
    async hold(key: string, authenticate: () => Promise<Authentication>): Promise<Authentication> {
      const answer = await authenticate();
      const isOfHere = answer.outcome === 'blocked' || (answer.outcome === 'wrongPassword' && answer.isOfHere);
      if (isOfHere) await wait(key);
      return answer;
    },
  };
}
