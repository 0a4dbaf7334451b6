import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startPeopleDatabase, template } from '../custom-databases/legacy-stores.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { runToEnd } from './command.ts';

async function ruleFile(script: string, name = 'a rule.js'): Promise<string> {
  const file = join(await temporaryFolder(), name);
  await writeFile(file, script);
  return file;
}

/** Without a server, and without a data folder. */
async function tryRule(script: string, ...args: string[]) {
  const env = { GATEWRIGHT_DATA_DIR: join(await temporaryFolder(), 'none') };
  return runToEnd(['rules', 'try', await ruleFile(script), ...args], { env });
}

async function reportOf(script: string, ...args: string[]) {
  const { code, printed } = await tryRule(script, '--json', ...args);
  return { code, report: JSON.parse(printed) };
}

const ROLES = `async function addRoles(user, context, callback) {
  const _ = require('lodash');
  console.log('roles of', user.email, configuration.API_KEY);
  context.idToken['https://example.com/roles'] = _.uniq(['reader', 'reader']);
  context.idToken.sub = 'somebody else';
  user.nickname = 'countess';
  callback(null, user, context);
}`;

describe('gatewright rules try', { timeout: 60_000 }, () => {
  it('runs a rule in a container and shows what it prints and changes', async () => {
    const { code, printed } = await tryRule(ROLES, '--configuration', '{"API_KEY":"sk_live_0123456789"}');
    expect({ code, printed: printed.replace(/\(\d+ ms\)/, '(n ms)') }).toEqual({
      code: 0,
      printed: `Console:
  a rule log: roles of ada@example.com *****

Changes:
  ~ user.nickname = "countess" (was "ada")
  + context.idToken["https://example.com/roles"] = ["reader"]
  + context.idToken.sub = "somebody else"

Claims that no token will carry: their names are reserved:
  sub

The login goes on (n ms)
`,
    });
  });

  it('takes the user, the context and several rules, as JSON or as files', async () => {
    const user = await ruleFile('{"user_id":"auth0|7","email":"eve@example.com"}', 'user.json');
    const second = await ruleFile('function (user, context, callback) { context.idToken.n.push(2); callback(null); }');
    const { code, report } = await reportOf(
      `function (user, context, callback) {
        context.idToken.n = [user.user_id, user.app_metadata === undefined, context.protocol, context.clientID.length];
        callback(null, user, context);
      }`,
      second,
      '--user',
      user,
      '--context',
      '{"protocol":"oauth2-refresh-token"}',
    );
    expect({ code, changes: report.changes }).toEqual({
      code: 0,
      changes: [{ path: 'context.idToken.n', after: ['auth0|7', true, 'oauth2-refresh-token', 32, 2] }],
    });
  });

  it('ends with 1 where the login is refused, and says what the application hears and where it happened', async () => {
    const refusing = 'function (user, context, callback) { callback(new UnauthorizedError("Staff only")); }';
    expect(await reportOf(refusing)).toMatchObject({
      code: 1,
      report: { verdict: { kind: 'refused', error: 'access_denied', description: 'Staff only' }, changes: [] },
    });
    const broken = await tryRule('function (user, context, callback) {\n  user.x.y = 1;\n}');
    expect(broken).toEqual({
      code: 1,
      printed: expect.stringMatching(/Failure:\n {2}a rule: TypeError: .*\n.*a-rule.*:2:/),
    });
    expect(broken.printed).toContain('The application hears: access_denied, The login could not be completed');
  });

  it('shows where a rule can not be read', async () => {
    const { code, printed } = await tryRule('function (user, context, callback) {\n  callback(null, user context);\n}');
    expect({ code, printed }).toEqual({
      code: 1,
      printed: expect.stringMatching(
        /Failure:\n {2}a rule: SyntaxError: .*\n.*a rule:2:18\n +callback\(null, user context\);\n +\^\n/,
      ),
    });
  });

  it.each([
    ['never calls back', 'function (user, context, callback) {}', 'timeout'],
    ['loops for ever', 'function (user, context, callback) { for (;;); }', 'timeout'],
    ['ends its process', 'function (user, context, callback) { process.exit(0); }', 'crashed'],
  ])('ends with 1, and by itself, for a rule that %s', async (_what, script, kind) => {
    const { code, report } = await reportOf(script, '--limit', '1');
    expect({ code, failure: report.failure }).toMatchObject({ code: 1, failure: { kind } });
  });

  it('shows warnings, redirects and demands for a second factor', async () => {
    const twice = 'function (user, context, callback) { callback(null); callback(null); }';
    expect((await reportOf(twice)).report.warnings).toMatchObject([{ kind: 'callback_twice' }]);
    const away =
      "function (user, context, callback) { context.redirect = { url: 'https://x.example/' }; callback(null); }";
    expect((await reportOf(away)).report.verdict).toEqual({ kind: 'redirected', url: 'https://x.example/' });
    const more = "function (user, context, callback) { context.multifactor = { provider: 'any' }; callback(null); }";
    expect((await reportOf(more)).report.verdict).toEqual({ kind: 'second_factor', provider: 'any' });
  });

  it('stands in for the Management API, and lists the calls', async () => {
    const { report } = await reportOf(`async function (user, context, callback) {
      await auth0.users.updateAppMetadata(user.user_id, { seen: true });
      const { app_metadata } = await auth0.users.get(user.user_id);
      context.idToken.seen = app_metadata.seen;
      await auth0.users.get('auth0|somebody-else').catch((error) => { context.idToken.error = error.statusCode; });
      callback(null, user, context);
    }`);
    expect(report.calls).toMatchObject([
      { method: 'PATCH', body: { app_metadata: { seen: true } }, status: 200 },
      { method: 'GET', status: 200 },
      { method: 'GET', path: '/api/v2/users/auth0%7Csomebody-else', status: 404 },
    ]);
    expect(report.context.idToken).toEqual({ seen: true, error: 404 });
  });

  it('never obeys what a rule prints: escape sequences reach no terminal', async () => {
    const { printed } = await tryRule(
      "function (user, context, callback) { console.log('\\u001b]0;owned\\u0007\\u009b2J'); user.x = '\\u001b[2J'; callback(null); }",
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there.
    expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(printed).toContain('\\u001b]0;owned');
  });

  it('runs the rule of docs/rules-authors.md as that page says, and the lint finds nothing in it', async () => {
    const page = await readFile(join(import.meta.dirname, '../../../../docs/rules-authors.md'), 'utf8');
    const file = await ruleFile(/```js\n([^`]+(?:`[^`]+`[^`]+)*)```/.exec(page)?.[1] ?? '', 'roles.js');
    expect(await runToEnd(['rules', 'lint', file])).toEqual({ code: 0, printed: '1 rule, 0 findings\n' });
    const [, user = ''] = /--user '(.+)'/.exec(page) ?? [];
    const { code, printed } = await runToEnd(['rules', 'try', file, '--user', user]);
    expect({ code, printed }).toEqual({ code: 0, printed: expect.stringContaining('The login goes on') });
    expect(page).toContain(printed.slice(0, printed.indexOf('(')));
  });

  it.each([
    [['--user', '[1]'], /--user is no JSON object/],
    [['--user', '/nowhere.json'], /--user: \/nowhere.json can't be read: ENOENT/],
    [['--context', '{broken'], /--context is no JSON/],
    [['--limit', '90'], /more than 0 and at most 20/],
  ])('says what is wrong with %s, and ends with 1', async (args, words) => {
    const { code, printed } = await tryRule(ROLES, ...args);
    expect({ code, printed }).toEqual({ code: 1, printed: expect.stringMatching(words) });
  });
});

describe('gatewright actions try', { timeout: 60_000 }, () => {
  const tryAction = async (script: string, ...args: string[]) =>
    runToEnd(['actions', 'try', await ruleFile(script, 'add-claim.js'), ...args], {
      env: { GATEWRIGHT_DATA_DIR: join(await temporaryFolder(), 'none') },
    });

  it('runs an action with its secrets and modules, and shows what it asks for', async () => {
    const { code, printed } = await tryAction(
      `exports.onExecutePostLogin = async (event, api) => {
        console.log(event.user.email, event.secrets.KEY, require('lodash').VERSION);
        api.idToken.setCustomClaim('https://example.com/n', event.stats.logins_count);
      };`,
      ...['--secrets', '{"KEY":"sk_live_0123456789"}', '--event', '{"stats":{"logins_count":7}}'],
      ...['--module', 'lodash@4.17.21'],
    );
    expect({ code, printed: printed.replace(/\(\d+ ms\)/, '(n ms)') }).toEqual({
      code: 0,
      printed: `Console:
  add-claim log: ada@example.com ***** 4.17.21

It asks for:
  api.idToken.setCustomClaim("https://example.com/n", 7)

The flow goes on (n ms)
`,
    });
  });

  it('ends with 1 where the action refuses, fails, or has no such trigger', async () => {
    const denies = await tryAction("exports.onExecutePostLogin = async (event, api) => api.access.deny('Staff only');");
    expect(denies).toEqual({ code: 1, printed: expect.stringContaining('The flow is refused by api.access.deny') });
    const fails = await tryAction(
      'exports.onExecuteCredentialsExchange = () => { null.x; };',
      '--json',
      '--trigger',
      'credentials-exchange',
    );
    expect(fails.code).toBe(1);
    expect(JSON.parse(fails.printed).failure).toMatchObject({ kind: 'threw', error: { name: 'TypeError' } });
    const unknown = await tryAction('', '--trigger', 'pre-logout');
    expect(unknown).toEqual({ code: 1, printed: expect.stringMatching(/'pre-logout' is no trigger/) });
  });
});

describe('gatewright scripts try', { timeout: 60_000 }, () => {
  const tryScript = async (script: string, ...args: string[]) =>
    runToEnd(['scripts', 'try', await ruleFile(script, 'login.js'), ...args], {
      env: { GATEWRIGHT_DATA_DIR: join(await temporaryFolder(), 'none') },
    });

  it('runs a script of a custom database with its arguments, and hides the password that it prints', async () => {
    const script = `function login(email, password, callback) {
      console.log(password);
      if (password !== configuration.ACCEPTED) return callback(new WrongUsernameOrPasswordError(email));
      callback(null, { user_id: '7', email: email });
    }`;
    const args = ['ada@example.com', 'correct horse', '--configuration'];
    const right = await tryScript(script, ...args, '{"ACCEPTED":"correct horse"}');
    expect({ ...right, printed: right.printed.replace(/\(\d+ ms\)/, '(n ms)') }).toEqual({
      code: 0,
      printed: `Console:
  login log: *****

It calls back with:
  {"user_id":"7","email":"ada@example.com"}

The script has answered (n ms)
`,
    });
    const wrong = await tryScript(script, ...args, '{"ACCEPTED":"another"}');
    expect(wrong).toEqual({ code: 1, printed: expect.stringContaining('WrongUsernameOrPasswordError') });
  });

  it('reaches a PostgreSQL of this machine where --allow names it, and says so where it does not', async () => {
    const people = await startPeopleDatabase();
    onTestFinished(() => people.stop());
    const { login = '' } = template('postgresql', 'login');
    const id = await people.add('old@people.test', 'olds-password');
    const args = ['old@people.test', 'olds-password', '--configuration', JSON.stringify({ DATABASE_URL: people.url })];
    const closed = await tryScript(login, ...args);
    expect(closed).toEqual({ code: 1, printed: expect.stringContaining(`--allow ${people.target} opens it`) });
    const open = await tryScript(login, ...args, '--allow', '10.9.8.7:1', '--allow', people.target);
    expect(open).toEqual({ code: 0, printed: expect.stringContaining(`"user_id":"${id}"`) });
    const elsewhere = await tryScript(login, ...args, '--allow', '127.0.0.1:1');
    expect(elsewhere.code).toBe(1);
  });

  it.each(['localhost', 'localhost:0', 'http://localhost:5432'])('takes no --allow %s', async (target) => {
    expect(await tryScript('', '--allow', target)).toEqual({
      code: 1,
      printed: expect.stringContaining('It is a host and a port'),
    });
  });
});
