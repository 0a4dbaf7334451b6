import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderLogEvents } from '../../scripts/render-log-events.ts';
import { type LogType, logTypes } from './log-types.ts';
import { UNREACHED } from './unreached-types.ts';

const SRC = fileURLToPath(new URL('..', import.meta.url));
/** They name types for other reasons than to record them. */
const NAMED_ELSEWHERE = ['logs/log-types.ts', 'logs/unreached-types.ts', 'status/event-labels.ts'];
const TYPES = Object.keys(logTypes) as LogType[];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const read = (name: string) => readFileSync(join(SRC, name), 'utf8');
const code = files.filter((name) => !name.endsWith('.test.ts') && !NAMED_ELSEWHERE.includes(name)).map(read);
const named = new Set(code.flatMap((text) => [...text.matchAll(/'(\w+)'/g)].map(([, word = '']) => word)));

/** Tests whose expectations name a code, beside the code and in packages/server/test. */
const tests = [SRC, fileURLToPath(new URL('../../test/', import.meta.url))].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !/logs\/(?:search|live|log-types)/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8')),
);

describe('the types of log events', () => {
  it('are each recorded somewhere, or have the reason why they are not', () => {
    const unreached = Object.values(UNREACHED).flat();
    expect(unreached).toEqual([...new Set(unreached)]);
    expect(TYPES.filter((type) => !named.has(type)).toSorted()).toEqual(unreached.toSorted());
  });

  it('that something records are in the expectation of a test that causes them', () => {
    const unreached = new Set(Object.values(UNREACHED).flat());
    const untested = TYPES.filter((type) => {
      const { code } = logTypes[type];
      const expected = new RegExp(`['"]${code}['"]|\\b${code}:`);
      return !unreached.has(type) && !tests.some((text) => expected.test(text));
    });
    expect(untested).toEqual([]);
  });

  it('are described in docs/log-events.md as they are', () => {
    const page = readFileSync(new URL('../../../../docs/log-events.md', import.meta.url), 'utf8');
    // node packages/server/scripts/render-log-events.ts writes it.
    expect(page).toBe(renderLogEvents());
  });
});
