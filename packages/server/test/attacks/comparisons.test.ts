import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { equalSecrets } from '../../src/kit/digest.ts';

const SOURCES = join(import.meta.dirname, '../../src');
/** Two values of which one is named like a secret: a constant beside it is a question of presence or kind. */
const COMPARED =
  /\b\w*(?:secret|password|token|hash|csrf|signature|verifier|cookie)\b\)? *[!=]== *(?!undefined|null|true|false|typeof|['"\d])\w/i;
/** Both sides are what the same person just typed. */
const OF_ONE_PERSON = /password === again/;

describe('the comparison', () => {
  it('of secrets is made by hashes of one length, and nothing compares them with ==', () => {
    expect([equalSecrets('abc', 'abc'), equalSecrets('abc', 'abd'), equalSecrets('', 'abc')]).toEqual([
      true,
      false,
      false,
    ]);
    const found = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .flatMap((path) =>
        readFileSync(join(SOURCES, path), 'utf8')
          .split('\n')
          .map((line) => `${path}: ${line.trim()}`),
      )
      .filter((line) => COMPARED.test(line) && !OF_ONE_PERSON.test(line));
    expect(found).toEqual([]);
    expect('if (given.secret === client.secret)').toMatch(COMPARED);
  });
});
