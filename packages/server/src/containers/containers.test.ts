import { describe, expect, it } from 'vitest';
import { rules, startContainers } from '../../test/containers/harness.ts';

const ADD = (value: number) =>
  `function (user, context, callback) { (context.idToken.list = context.idToken.list || []).push(${value}); callback(null, user, context); }`;

describe('rules in a container', () => {
  const { execute } = startContainers();

  it('run one after the other, also where an earlier one is slower', async () => {
    const slow = `async function (user, context, callback) { await new Promise((done) => setTimeout(done, 30)); context.idToken.list = [1]; callback(null, user, context); }`;
    const outcome = await execute(rules(slow, ADD(2), ADD(3)));
    expect(outcome).toMatchObject({ ok: true, result: { context: { idToken: { list: [1, 2, 3] } } }, warnings: [] });
  });
});
