import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, eventsOf } from '../protocol.ts';
import { startWorld, type World } from '../world.ts';
import { type CustomDirectory, createCustomDirectory, logInAt } from './custom-directory.ts';

let world: World;
let directory: CustomDirectory;
beforeAll(async () => {
  world = await startWorld({
    containerLimits: { killsUntilOpen: 1_000 },
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

describe('what an operator is told when', () => {
  const person = '{ user_id: "ada-7", email: "ada@legacy.test" }';
  const scripts = {
    login: `function (email, password, callback) { callback(null, ${person}); }`,
    get_user: `function (email, callback) { callback(null, ${person}); }`,
  };
  const reasonOf = async (asked: ReturnType<ReturnType<World['api']>['post']>) => {
    const { status, body } = await answer(asked);
    return [status, Object(body).message];
  };
  const failed = (script: string, why: string) => [400, `The database script ${script} failed: ${why}`];

  it.each([
    ['true', 200],
    ['1', 200],
    ['{ last_password_reset: "2020-02-03" }', 200],
    ['false', failed('change_password', 'it answered false: nothing was changed')],
    ['0', failed('change_password', 'it answered 0: nothing was changed')],
    ['null', failed('change_password', 'it answered null: nothing was changed')],
  ])('change_password answers %s', async (said, expected) => {
    const change_password = `function (email, password, callback) { callback(null, ${said}); }`;
    await directory.change({ customScripts: { ...scripts, change_password } });
    expect((await logInAt(world, directory.name, 'ada@legacy.test', 'x')).statusCode).toBe(200);
    const change = { password: 'A-quite-new-horse-9', connection: directory.name };
    const [status, message] = await reasonOf(world.api().patch('/users/auth0%7Cada-7', change));
    expect(typeof expected === 'number' ? status : [status, message]).toEqual(expected);
  });

  it.each([
    ['get_user', 'callback(null, "ada")', failed('get_user', 'the profile is no object')],
    ['get_user', 'callback(null, [])', failed('get_user', 'the profile is no object')],
    ['get_user', `callback(null, ${person})`, [409, 'The user already exists.']],
    ['get_user', 'callback(new Error("db.internal down"))', failed('get_user', 'db.internal down')],
    ['create', 'callback(new ValidationError("user_exists", "taken"))', [409, 'The user already exists.']],
    ['create', 'callback(new ValidationError("username_exists", "taken"))', [409, 'The username already exists.']],
    ['create', 'callback(new ValidationError("too_young", "Too young"))', failed('create', 'Too young')],
    ['create', 'callback(new Error("db.internal down"))', failed('create', 'db.internal down')],
    ['login', 'callback(null)', failed('login', 'the profile is no object')],
    ['login', 'callback(new WrongUsernameOrPasswordError())', failed('login', 'Wrong email or password.')],
  ])('%s of a new user does %s', async (name, code, [status, message]) => {
    const nobody = 'function (email, callback) { callback(null); }';
    const create = 'function (user, callback) { callback(null); }';
    const faulty = { [name]: `function (...given) { const callback = given.at(-1); ${code}; }` };
    await directory.change({ customScripts: { ...scripts, get_user: nobody, create, ...faulty } });
    const body = { connection: directory.name, email: 'bob@legacy.test', password: 'A-quite-new-horse-9' };
    const [actual, reason] = await reasonOf(world.api().post('/users', body));
    expect(actual).toBe(status);
    expect(reason).toContain(message);
    expect((await world.api().get('/users-by-email?email=bob@legacy.test')).json()).toEqual([]);
  });
});
