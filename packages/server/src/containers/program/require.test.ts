import { describe, expect, it } from 'vitest';
import { probe, rules, startContainers } from '../../../test/containers/harness.ts';
import { MODULE_STORE } from '../module-folders.ts';

const { execute } = startContainers({ moduleStore: MODULE_STORE });

/** What a rule's statements return. */
async function result(body: string, modules?: Record<string, string>): Promise<unknown> {
  const job = probe(body);
  const hash = `${job.program.hash}${JSON.stringify(modules ?? {})}`;
  const outcome = await execute(modules ? { ...job, program: { ...job.program, hash, modules } } : job);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.failure));
  return Reflect.get(Object(Reflect.get(Object(outcome.result), 'user')), 'out');
}

describe('require in a rule', () => {
  it.each([
    ['lodash', '4.17.21'],
    ['lodash@3.10.1', '3.10.1'],
    ['lodash@4.17.19', '4.17.19'],
  ])('gets %s: version %s', async (name, version) => {
    expect(await result(`return require('${name}').VERSION`)).toBe(version);
  });

  it.each([
    ['lodash/get', { a: 1 }],
    ['lodash@4.17.19/get', { a: 1 }],
  ])('gets the part %s of a module', async (name, object) => {
    expect(await result(`return require('${name}')(${JSON.stringify(object)}, 'a')`)).toBe(1);
  });

  it('gets a module with a scope', async () => {
    expect(await result(`return typeof require('@sendgrid/mail@7.7.0').send`)).toBe('function');
  });

  it.each([
    ['url', 'function', 'parse'],
    ['node:url', 'function', 'parse'],
    ['crypto', 'function', 'createHash'],
    ['querystring', 'function', 'escape'],
  ])('gets %s of Node itself', async (name, type, member) => {
    expect(await result(`return typeof require('${name}').${member}`)).toBe(type);
    expect(await result(`return require('${name}') === process.getBuiltinModule('${name}')`)).toBe(true);
  });

  it.each(['url@0.10.3', 'url@0.11.4', 'url/', 'querystring@0.2.1'])(
    'gets %s of npm, though Node has a module of the name',
    async (name) => {
      const builtin = name.split(/[@/]/)[0];
      expect(await result(`return require('${name}') !== require('${builtin}')`)).toBe(true);
    },
  );

  it('gets the versions that the program chose, unless the code names one', async () => {
    const chosen = { lodash: '2.4.1', url: '0.10.3' };
    expect(await result(`return require('lodash').VERSION`, chosen)).toBe('2.4.1');
    expect(await result(`return require('lodash@4.17.21').VERSION`, chosen)).toBe('4.17.21');
    expect(await result(`return typeof require('url').URL`, chosen)).toBe('undefined');
  });

  it('is told the versions at hand, and the command that adds one', async () => {
    expect(await result(`return require('lodash@4.17.5')`)).toBe(
      "ERROR Error: Cannot find module 'lodash@4.17.5' in the module store, which has 4.17.21, 2.4.1, 3.10.1, 4.17.19. The operator adds it with: gatewright modules add lodash@4.17.5",
    );
    expect(await result(`return require('left-pad')`)).toBe(
      "ERROR Error: Cannot find module 'left-pad' in the module store, which has no version of it. The operator adds it with: gatewright modules add left-pad@<version>",
    );
    expect(await result(`try { require('left-pad') } catch (error) { return error.code }`)).toBe('MODULE_NOT_FOUND');
  });

  it.each([
    './secrets',
    '/etc/passwd',
    '../module-store/package.json',
    'lodash/../ms',
    'file:///etc/passwd',
    'node:node:fs',
    '__proto__',
    'constructor',
    'constructor@1.0.0',
    '',
    'ms',
    'npm:lodash',
    'https://example.com/x.js',
  ])('finds nothing for %j: neither files nor what other modules need', async (name) => {
    expect(await result(`return require(${JSON.stringify(name)})`)).toMatch(/^ERROR Error: Cannot find module/);
  });

  it.each(['undefined', '{}', '42', `{ toString: () => 'fs' }`])('takes names only: %s', async (value) => {
    expect(await result(`return require(${value})`)).toBe('ERROR TypeError: require takes the name of a module.');
  });
});

describe('modules that stand in for others', () => {
  it.each(['bcrypt', 'bcrypt@0.8.5', 'bcrypt@5.1.1'])(
    '%s hashes and compares, with callbacks and promises',
    async (name) => {
      const body = `
      const bcrypt = require('${name}');
      const hash = await bcrypt.hash('secret', 4);
      const salted = bcrypt.hashSync('secret', bcrypt.genSaltSync(4, 'b'));
      const called = await new Promise((resolve, reject) =>
        bcrypt.genSalt(4, (error, salt) => error ? reject(error) : bcrypt.hash('secret', salt, (error, made) =>
          error ? reject(error) : bcrypt.compare('secret', made, (error, same) => error ? reject(error) : resolve(same)))));
      return [await bcrypt.compare('secret', hash), bcrypt.compareSync('other', hash), bcrypt.compareSync('secret', salted), called,
        bcrypt.getRounds(hash), bcrypt.compareSync('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'), (await bcrypt.genSalt(4)).length];`;
      expect(await result(body)).toEqual([true, false, true, true, 4, true, 29]);
    },
  );

  it('pg connects by an address, as it did before version 7', async () => {
    expect(
      await result(
        `return [typeof require('pg').connect, typeof require('pg').Client, typeof require('pg@8.23.1').connect]`,
      ),
    ).toEqual(['function', 'function', 'undefined']);
  });

  it('@auth0/rule-utilities makes and checks session tokens', async () => {
    const body = `
      const { Auth0RedirectRuleUtilities } = require('@auth0/rule-utilities@0.1.0');
      const context = { protocol: 'oidc-basic-profile', request: { ip: '1.2.3.4', hostname: 'login.example.com', query: {} } };
      const settings = { SESSION_TOKEN_SECRET: 'a long secret' };
      const utilities = new Auth0RedirectRuleUtilities({ user_id: 'auth0|1' }, context, settings);
      utilities.doRedirect('https://app.example.com/?a=b');
      const url = new URL(context.redirect.url);
      const back = (user_id, query) => new Auth0RedirectRuleUtilities({ user_id }, { ...context, protocol: 'redirect-callback', request: { ...context.request, query } }, settings);
      const token = url.searchParams.get('session_token');
      const claims = back('auth0|1', { session_token: token }).validateSessionToken();
      const tries = [back('auth0|2', { session_token: token }), back('auth0|1', {}), back('auth0|1', { session_token: 'eyJhbGciOiJub25lIn0.e30.' })].map((one) => {
        try { return one.validateSessionToken() } catch (error) { return error.name }
      });
      return { claims, tries, canRedirect: utilities.canRedirect, isBack: back('x', {}).isRedirectCallback, a: url.searchParams.get('a') };`;
    expect(await result(body)).toEqual({
      claims: {
        ip: '1.2.3.4',
        iss: 'https://login.example.com/',
        sub: 'auth0|1',
        iat: expect.any(Number),
        exp: expect.any(Number),
      },
      tries: ['JsonWebTokenError', 'JsonWebTokenError', 'JsonWebTokenError'],
      canRedirect: false,
      isBack: true,
      a: 'b',
    });
  });
});

describe('a store that is not there', () => {
  const empty = startContainers();

  it('is named in the error, with the command', async () => {
    const outcome = await empty.execute(rules(`function (user, context, callback) { require('lodash'); }`));
    expect(outcome).toMatchObject({
      ok: false,
      failure: {
        kind: 'threw',
        error: {
          message: expect.stringContaining('The operator runs in the folder module-store: npm ci --ignore-scripts'),
        },
      },
    });
  });
});
