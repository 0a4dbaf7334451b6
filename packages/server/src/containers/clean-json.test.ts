import { expect, it } from 'vitest';
import { rules, startContainers } from '../../test/containers/harness.ts';

const { execute } = startContainers();
const MERGE = `function (user, context, callback) {
  const merge = (to, from) => { for (const name in from) if (Object(from[name]) === from[name]) merge(to[name] = to[name] || {}, from[name]); else to[name] = from[name]; };
  merge(user, user.user_metadata);
  user.out = JSON.stringify([{}.polluted, user.user_metadata]);
  callback(null, user, context);
}`;

it('A user whose metadata reach for a prototype changes nothing for the other users of the container', async () => {
  const metadata = {
    car: { constructor: 'Renault' },
    constructor: { prototype: { polluted: 'yes' } },
    list: [{ constructor: { constructor: { prototype: {} }, name: 'x' } }],
  };
  const outcome = await execute({
    ...rules(MERGE),
    input: { user: { user_metadata: metadata }, context: { idToken: {} } },
  });
  const kept = { car: { constructor: 'Renault' }, list: [{ constructor: { name: 'x' } }] };
  expect(outcome).toMatchObject({ ok: true, result: { user: { out: JSON.stringify([null, kept]) } } });
});
