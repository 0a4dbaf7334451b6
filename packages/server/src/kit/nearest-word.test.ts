import { expect, it } from 'vitest';
import { nearestWord } from './nearest-word.ts';

it.each([
  ['lug', 'log'],
  ['LOG', 'log'],
  ['hooks', 'hook'],
  ['x', undefined],
  ['entirely', undefined],
  ['', undefined],
])('%j was meant to be %s', (given, nearest) => expect(nearestWord(given, ['log', 'hook', 'tenant'])).toBe(nearest));
