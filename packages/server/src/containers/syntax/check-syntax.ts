import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { LRUCache } from 'lru-cache';
import { digest } from '../../kit/digest.ts';
import { createFairQueue } from '../../kit/fair-queue.ts';
import { isObject, numberOf, objectOf, textOf } from '../../kit/json-values.ts';
import { outsideRequests } from '../tunnelled-request.ts';
import type { CodeForm, SyntaxFault } from './syntax-fault.ts';

/** Undefined where the code can be compiled, or where nobody could tell in time: then the container tells. */
export type CheckSyntax = (tenantId: string, code: string, form: CodeForm) => Promise<SyntaxFault | undefined>;

interface Limits {
  /** Of a process: a text of 100,000 characters can be made to take V8 seconds. */
  readonly checkMs?: number;
  readonly processes?: number;
  readonly queue?: number;
}

interface Waiter {
  readonly code: string;
  readonly form: CodeForm;
  readonly tell: (found: Found) => void;
}

/** `undefined`: nobody could tell. */
type Found = { readonly fault: SyntaxFault | undefined } | undefined;

const PROGRAM = fileURLToPath(new URL('./syntax-program.ts', import.meta.url));
const MOST_KNOWN = 2_000;

/** Looks for mistakes in tenant code without running it, in a process for each text: few at once, tenants in turn. */
export function createSyntaxCheck({ checkMs = 10_000, processes = 2, queue = 1_000 }: Limits = {}) {
  const known = new LRUCache<string, NonNullable<Found>>({ max: MOST_KNOWN });
  const asked = new Map<string, Promise<Found>>();
  const waiting = createFairQueue<Waiter>(queue);
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  const check: CheckSyntax = async (tenantId, code, form) => {
    const key = `${form} ${digest(code)}`;
    const found = known.get(key) ?? (await (asked.get(key) ?? ask(tenantId, key, { code, form })));
    return found?.fault;
  };

  async function ask(tenantId: string, key: string, given: Omit<Waiter, 'tell'>): Promise<Found> {
    const answer = new Promise<Found>((tell) => {
      waiting.push(tenantId, { ...given, tell })?.tell(undefined);
      next();
    });
    asked.set(key, answer);
    const found = await answer;
    asked.delete(key);
    if (found) known.set(key, found);
    return found;
  }

  function next(): void {
    while (running.size < processes) {
      const waiter = waiting.take();
      if (!waiter) return;
      const work = outsideRequests(() => look(waiter)).then((found) => {
        running.delete(work);
        waiter.tell(found);
        next();
      });
      running.add(work);
    }
  }

  async function look({ code, form }: Waiter): Promise<Found> {
    if (stopping.signal.aborted) return undefined;
    const child = spawn(process.execPath, ['--max-old-space-size=256', PROGRAM], {
      cwd: '/',
      // Nothing of the server's environment.
      env: {},
      stdio: ['pipe', 'pipe', 'ignore'],
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(checkMs)]),
      killSignal: 'SIGKILL',
    });
    // Ended before its time, it says nothing more, and nobody reads what is left.
    child.on('error', () => undefined);
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify({ code, form }));
    return readFound(await text(child.stdout).catch(() => ''));
  }

  return {
    check,
    async stop(): Promise<void> {
      stopping.abort();
      for (const waiter of waiting.drain()) waiter.tell(undefined);
      await Promise.all(running);
    },
  };
}

function readFound(answer: string): Found {
  if (answer === '') return undefined;
  const { fault } = objectOf(JSON.parse(answer));
  if (!isObject(fault)) return { fault: undefined };
  const { line, column, source, mark } = objectOf(fault.place);
  const place = {
    line: numberOf(line) ?? 1,
    column: numberOf(column) ?? 1,
    source: textOf(source) ?? '',
    mark: numberOf(mark) ?? 0,
  };
  return { fault: { message: textOf(fault.message) ?? '', place } };
}
