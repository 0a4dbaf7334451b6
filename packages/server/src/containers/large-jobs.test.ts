import { describe, expect, it } from 'vitest';
import { rules, startContainers } from '../../test/containers/harness.ts';
import type { Job, Outcome } from './job.ts';

// A user may write a megabyte of metadata about themselves: whatever that does to their own login, it ends no container,
// since others log in with it, and five ends within a minute close the door to all users of the tenant.

const { execute, events } = startContainers();
const PASS = 'function (user, context, callback) { callback(null, user, context); }';
const SLOW = 'function (user, context, callback) { setTimeout(() => callback(null, user, context), 500); }';
const ADD = `function (user, context, callback) { user.more = '密'.repeat(200000); callback(null, user, context); }`;

const withMetadata = (note: string, code = PASS): Job => ({
  ...rules(code),
  input: { user: { user_id: 'auth0|1', user_metadata: { note } }, context: { idToken: {} } },
});
const endOf = (outcome: Outcome) => (outcome.ok ? 'ok' : outcome.failure.kind);

describe('a user with a megabyte of metadata', () => {
  it.each([
    ['where it is too large in bytes, however few characters it has', '密'.repeat(900_000), PASS],
    ['where a rule makes it too large', '密'.repeat(300_000), ADD],
  ])('is refused alone %s', async (_where, note, code) => {
    const other = execute(rules(SLOW));
    const large = await Promise.all([1, 2, 3].map(() => execute(withMetadata(note, code))));
    for (const outcome of large) expect(endOf(outcome)).toMatch(/^(?:input_too_large|too_much_output)$/);
    expect(endOf(await other)).toBe('ok');
    expect(events).toEqual([]);
  });

  it('who logs in many times at once, ends nobody else', async () => {
    const other = execute(rules(SLOW));
    const large = await Promise.all(Array.from({ length: 20 }, () => execute(withMetadata('x'.repeat(1_000_000)))));
    expect(new Set(large.map(endOf))).toEqual(new Set(['ok']));
    expect(endOf(await other)).toBe('ok');
    expect(events).toEqual([]);
  });
});

describe('code that warns without end after its execution', () => {
  it('is recorded a few times', async () => {
    const outcome = await execute(
      rules(`function (user, context, callback) {
        callback(null, user, context);
        const again = setInterval(() => callback(null), 1);
        setTimeout(() => clearInterval(again), 400);
      }`),
    );
    expect(endOf(outcome)).toBe('ok');
    const late = () => events.filter(({ type }) => type === 'late_warning').length;
    await expect.poll(late).toBeGreaterThan(1);
    // Time for hundreds more.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(late()).toBeLessThanOrEqual(20);
  });
});
