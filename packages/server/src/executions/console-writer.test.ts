import { expect, it } from 'vitest';
import { createLog } from '../kit/log.ts';
import type { NewConsole } from './console-store.ts';
import { createConsoleWriter } from './console-writer.ts';

function startWriter(insert: (rows: readonly NewConsole[]) => Promise<void>) {
  const told: string[] = [];
  let time = Date.UTC(2026, 0, 1);
  const writer = createConsoleWriter({
    insert,
    now: () => new Date(time),
    log: createLog('json', (line) => told.push(line)),
  });
  const print = (text: string, tenantId = 'dev') =>
    writer.write({ tenantId, id: text, kind: 'rules', outcome: 'ok', tookMs: 1, lines: [{ level: 'log', text }] });
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { ...writer, print, told, pass };
}

it('writes what it has taken before it stops, for a day', async () => {
  const written: NewConsole[] = [];
  const writer = startWriter(async (rows) => void written.push(...rows));
  for (let line = 0; line < 250; line++) writer.print(`line ${line}`);
  await writer.stop();
  expect(written.map(({ id }) => id)).toEqual(Array.from({ length: 250 }, (_, line) => `line ${line}`));
  expect(written[0]?.expiresAt.toISOString()).toBe('2026-01-02T00:00:00.000Z');
});

it("bounds a tenant's output of a minute, and leaves others theirs", async () => {
  const written: NewConsole[] = [];
  const writer = startWriter(async (rows) => void written.push(...rows));
  for (let line = 0; line < 100; line++) writer.print('x'.repeat(10_000));
  writer.print('of another', 'other');
  writer.pass(60_000);
  writer.print('of the next minute');
  await writer.stop();
  expect(written.filter(({ id }) => id.startsWith('x'))).toHaveLength(25);
  expect(written.slice(25).map(({ id }) => id)).toEqual(['of another', 'of the next minute']);
});

it('loses output, and nothing else, where the database is away or refuses', async () => {
  const away = startWriter(() => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' })));
  away.print('lost');
  await away.stop();
  expect(away.told).toEqual([]);
  const refused = startWriter(() => Promise.reject(new Error('column is missing')));
  refused.print('lost');
  await refused.stop();
  expect(refused.told).toEqual([expect.stringContaining('could not be kept')]);
});
