import { format } from 'node:util';
import type { ConsoleLine } from '../job.ts';
import { currentRun } from './current-run.ts';
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
const LONGEST_LINE = 16_384;

/** Stdout belongs to the protocol. A line goes to the job that wrote it; the server counts bytes. */
export function captureConsole(): void {
  for (const [method, level] of Object.entries(LEVELS)) {
    Reflect.set(console, method, (...items: unknown[]) => {
      const run = currentRun();
      if (!run || run.isOver) return;
      send({ type: 'console', id: run.id, level, text: format(...items).slice(0, LONGEST_LINE) });
    });
  }
  for (const method of [
    'group',
    'groupCollapsed',
    'groupEnd',
    'table',
    'count',
    'time',
    'timeEnd',
    'timeLog',
    'assert',
  ])
    Reflect.set(console, method, () => undefined);
}
