import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJwt, passwordGrant } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { rule, setRules } from './rules.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const NAME = 'https://example.com/numbers';

describe('claims of rules', () => {
  it('RUL.1: rules run in their order, each when the one before has called back', async () => {
    await setRules(world, [
      `function (user, context, callback) {
        setTimeout(() => { context.idToken['${NAME}'] = [1]; callback(null, user, context); }, 50);
      }`,
      rule(`context.idToken['${NAME}'].push(2);`),
      rule(`context.idToken['${NAME}'].push(3);`),
    ]);
    const { id_token } = (await passwordGrant(world, { scope: 'openid' })).json();
    expect(decodeJwt(id_token).claims[NAME]).toEqual([1, 2, 3]);
  });
});
