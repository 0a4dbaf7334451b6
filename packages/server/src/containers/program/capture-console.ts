import process from 'node:process';
import { format } from 'node:util';
import type { ConsoleLine } from '../job.ts';
import { currentRun } from './current-run.ts';
import { inWordsOfHere } from './thrown.ts';
import { send } from './wire.ts';

const LEVELS: Readonly<Record<string, ConsoleLine['level']>> = {
  log: 'log',
  info: 'info',
  warn: 'warn',
  error: 'error',
  debug: 'debug',
  trace: 'debug',
  dir: 'log',
};
const SILENT = ['group', 'groupCollapsed', 'groupEnd', 'table', 'count', 'time', 'timeEnd', 'timeLog', 'assert'];
const LONGEST_LINE = 16_384;

/** Stdout belongs to the protocol. A line goes to the job that wrote it; the server counts bytes. */
export function captureConsole(): void {
  for (const [method, level] of Object.entries(LEVELS))
    Reflect.set(console, method, (...items: unknown[]) => print(level, format(...items)));
  for (const method of SILENT) Reflect.set(console, method, () => undefined);
  captureStream('stdout', 'log');
  captureStream('stderr', 'error');
}

/** Loggers that write there mean the console. */
function captureStream(name: 'stdout' | 'stderr', level: ConsoleLine['level']): void {
  process[name].write = (chunk: unknown, ...rest: unknown[]): boolean => {
    print(level, String(chunk).replace(/\n$/, ''));
    const done = rest.at(-1);
    if (typeof done === 'function') queueMicrotask(() => done());
    return true;
  };
}

function print(level: ConsoleLine['level'], text: string): void {
  const run = currentRun();
  if (!run || run.isOver) return;
  send({ type: 'console', id: run.id, level, text: inWordsOfHere(text.slice(0, LONGEST_LINE)) });
}
