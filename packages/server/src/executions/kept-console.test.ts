import { expect, it } from 'vitest';
import type { ConsoleLine } from '../containers/job.ts';
import { keptLines } from './kept-console.ts';

const lines = (...texts: string[]): ConsoleLine[] => texts.map((text) => ({ level: 'log', text }));
const asIs = (text: string) => text;

it('keeps how an execution began and how it ended, and says what is missing', () => {
  const kept = keptLines(lines(...Array.from({ length: 1_000 }, (_, index) => `line ${index}`)), asIs);
  expect(kept.map(({ text }) => text)).toEqual([
    ...Array.from({ length: 100 }, (_, index) => `line ${index}`),
    '… 800 lines are not kept …',
    ...Array.from({ length: 100 }, (_, index) => `line ${900 + index}`),
  ]);
});

it('keeps all of what is short, in its order', () => {
  expect(keptLines(lines('one', 'two', 'three'), asIs).map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  expect(keptLines([], asIs)).toEqual([]);
});

it('bounds long lines, and hides secrets before it cuts', () => {
  const secret = 'correct horse battery staple';
  const kept = keptLines(lines(`${'x'.repeat(4_090)}${secret}`, ...Array(10).fill('y'.repeat(16_000))), (text) =>
    text.replaceAll(secret, '*****'),
  );
  expect(kept.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(20_000);
  expect(kept[0]?.text).not.toContain('correct');
});
