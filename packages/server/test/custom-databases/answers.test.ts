import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, eventsOf } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt } from './custom-directory.ts';

let world: World;
let directory: CustomDirectory;
beforeAll(async () => {
  world = await startWorld({
    containerLimits: { jobMs: 60_000, queueMs: 60_000, startMs: 60_000, killsUntilOpen: 1_000 },
  });
  directory = await createCustomDirectory(world, 'legacy', {});
});
afterAll(() => world.stop());

const WRONG = { status: 403, error: 'invalid_grant', text: 'Wrong email or password.' };
const FAILED = { status: 403, error: 'access_denied', text: 'The login could not be completed' };
const told = (text: string) => ({ status: 403, error: 'access_denied', text });
const unusable = (error_message: string) => ({ name: 'login', failure: 'wrong_result', error_message });
const threw = (error_name: string, error_message: string) => ({
  name: 'login',
  failure: 'threw',
  error_name,
  error_message: expect.stringContaining(error_message),
});

/** What `login` does with its callback, what the application is told, and the one event of it beside the failed exchange's. */
describe('login calls back with', () => {
  it.each([
    ['nothing', 'callback()', WRONG, 'fu', undefined],
    ['null and nothing', 'callback(null)', WRONG, 'fu', undefined],
    ['null and null', 'callback(null, null)', WRONG, 'fu', undefined],
    ['false', 'callback(null, false)', FAILED, 'f', unusable('the profile is no object')],
    ['true', 'callback(null, true)', FAILED, 'f', unusable('the profile is no object')],
    ['a text', 'callback(null, "ada")', FAILED, 'f', unusable('the profile is no object')],
    ['a number', 'callback(null, 7)', FAILED, 'f', unusable('the profile is no object')],
    ['a list', 'callback(null, [{ user_id: "7", email }])', FAILED, 'f', unusable('the profile is no object')],
    ['a user_id that is an object', 'callback(null, { user_id: {}, email })', FAILED, 'f', { failure: 'wrong_result' }],
    [
      'an email that is a number',
      'callback(null, { user_id: "7", email: 7 })',
      FAILED,
      'f',
      { failure: 'wrong_result' },
    ],
    [
      'an email that is none',
      'callback(null, { user_id: "7", email: "x" })',
      FAILED,
      'f',
      unusable('email is no e-mail address'),
    ],
    ['WrongUsernameOrPasswordError of nobody', 'callback(new WrongUsernameOrPasswordError())', WRONG, 'fu', undefined],
    [
      'WrongUsernameOrPasswordError(false)',
      'callback(new WrongUsernameOrPasswordError(false, "no"))',
      WRONG,
      'fu',
      undefined,
    ],
    [
      'WrongUsernameOrPasswordError of an id',
      'callback(new WrongUsernameOrPasswordError("ada-7", "no"))',
      WRONG,
      'fp',
      undefined,
    ],
    [
      'WrongUsernameOrPasswordError that is thrown',
      'throw new WrongUsernameOrPasswordError("ada-7")',
      WRONG,
      'fp',
      undefined,
    ],
    [
      'UnauthorizedError',
      'callback(new UnauthorizedError("Closed"))',
      told('Closed'),
      'f',
      threw('UnauthorizedError', 'Closed'),
    ],
    [
      'ValidationError',
      'callback(new ValidationError("code", "Too young"))',
      told('Too young'),
      'f',
      threw('ValidationError', 'Too young'),
    ],
    ['an Error', 'callback(new Error("db.internal down"))', FAILED, 'f', threw('Error', 'db.internal down')],
    [
      'an Error that is thrown',
      'throw new TypeError("db.internal down")',
      FAILED,
      'f',
      threw('TypeError', 'db.internal down'),
    ],
    ['a text as its error', 'callback("db.internal down")', FAILED, 'f', { failure: 'threw' }],
    ['a rejected promise', 'return Promise.reject(new Error("db.internal down"))', FAILED, 'f', { failure: 'threw' }],
  ])('%s', async (_what, code, expected, type, script) => {
    await directory.change({ customScripts: { login: `function (email, password, callback) { ${code}; }` } });
    const events = await eventsOf(world, async () => {
      const { status, body } = await answer(logInAt(world, directory.name, 'ada@legacy.test', 'x'));
      const { status: wanted, error, text } = expected;
      expect({ status, body }).toEqual({ status: wanted, body: { error, error_description: text } });
    });
    expect(events.map((event) => event.type)).toEqual([type, 'fepft']);
    if (script) expect(events[0]).toMatchObject({ details: { script } });
    if (type === 'fp') expect(events[0]).toMatchObject({ user_id: 'auth0|ada-7' });
  });
});
