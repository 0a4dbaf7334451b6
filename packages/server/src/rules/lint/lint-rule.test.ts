import { describe, expect, it } from 'vitest';
import { lintRule } from './lint-rule.ts';

const NEXT = 'callback(null, user, context);';
const rule = (body: string) => `function (user, context, callback) {\n${body}\n}`;
const found = (script: string) => lintRule(script).map(({ finding, line, column }) => `${finding} ${line}:${column}`);

describe('a rule in which there is nothing to find', () => {
  it.each([
    ['calls its callback at once', rule(NEXT)],
    ['is an arrow function', `(user, context, callback) => ${NEXT.slice(0, -1)}`],
    ['has comments before it and a semicolon behind it', `// Title\n/** About it. */\n${rule(NEXT)};\n// end\n`],
    ['calls back on either way', rule(`if (user.blocked) { return callback(new UnauthorizedError('no')); }\n${NEXT}`)],
    [
      'calls back when a promise is kept or broken',
      rule(`fetch('https://a.example').then(() => callback(null)).catch(callback);`),
    ],
    [
      'calls back from a handler',
      rule(`request.get('https://a.example', (err) => {\nif (err) return callback(err);\n${NEXT} });`),
    ],
    ['awaits', `async ${rule(`try { await fetch('https://a.example'); ${NEXT} } catch (err) { callback(err); }`)}`],
    ['throws', rule(`if (!user.email) throw new Error('no email');\n${NEXT}`)],
    [
      'has a helper that calls back',
      rule(`function done() { ${NEXT} }\nif (user.email) return done();\nsetTimeout(done, 1);`),
    ],
    ['switches', rule(`switch (context.protocol) { case 'samlp': return callback(null); default: break; }\n${NEXT}`)],
    ['loops', rule(`for (const role of user.roles) { if (role === 'x') return callback(new Error('x')); }\n${NEXT}`)],
  ])('%s', (_what, script) => {
    expect(lintRule(script)).toEqual([]);
  });
});

describe('a callback', () => {
  it.each([
    ['never called', rule('user.x = 1;'), ['callback 1:1']],
    ['not taken', '(user, context) => user', ['callback 1:1']],
    ['forgotten on one way', rule(`if (user.email) { ${NEXT} }`), ['callback 1:1']],
    ['forgotten by an early return', rule(`if (!user.email) return;\n${NEXT}`), ['callback 1:1']],
    ['called twice', rule(`if (user.blocked) { callback(new Error('no')); }\n${NEXT}`), ['callback 3:1']],
    [
      'called again after a handler was given it',
      rule(`request.get('https://a.example', () => {\n${NEXT} });\n${NEXT}`),
      ['callback 4:1'],
    ],
    ['given away after it was called', rule(`${NEXT}\nsetTimeout(callback, 1);`), ['callback 3:12']],
    [
      'called twice in a handler',
      rule(`request.get('https://a.example', (err) => {\nif (err) callback(err);\n${NEXT} });`),
      ['callback 4:1'],
    ],
  ])('%s is found where it is', (_what, script, findings) => {
    expect(found(script)).toEqual(findings);
  });
});

describe('a second factor that is left out where nobody can be asked', () => {
  const demand = `context.multifactor = { provider: 'any', allowRememberBrowser: false };`;
  it.each([
    ['by leaving early', `if (context.request.query.prompt === 'none') { return ${NEXT} }\n${demand}\n${NEXT}`],
    ['by a condition around it', `if (context.request.query.prompt !== 'none') { ${demand} }\n${NEXT}`],
    ['for refresh tokens', `if (context.protocol === 'oauth2-refresh-token') return ${NEXT}\n${demand}\n${NEXT}`],
    [
      'in one of two branches',
      `if ('none' == context.request.query.prompt) { user.x = 1; } else { ${demand} }\n${NEXT}`,
    ],
    [
      'as part of a condition',
      `if (context.request.query && context.request.query.prompt === 'none') return ${NEXT}\n${demand}\n${NEXT}`,
    ],
  ])('%s', (_how, body) => {
    expect(found(rule(body))).toEqual([expect.stringMatching(/^mfa-bypass 2:/)]);
  });

  it('by a name that stands for it', () => {
    const body = `const isSilent = context.request.query.prompt === 'none';\nif (!isSilent) { ${demand} }\n${NEXT}`;
    expect(found(rule(body))).toEqual(['mfa-bypass 3:6']);
  });

  it.each([
    [
      'a refusal',
      `if (context.request.query.prompt === 'none') return callback(new UnauthorizedError('login'));\n${demand}\n${NEXT}`,
    ],
    ['the same demand there', `if (context.request.query.prompt === 'none') { ${demand} }\n${demand}\n${NEXT}`],
    [
      'a rule that asks for no factor',
      `if (context.request.query.prompt === 'none') return ${NEXT}\nuser.x = 1;\n${NEXT}`,
    ],
    ['a condition of another kind', `if (context.clientID === 'x') { ${demand} }\n${NEXT}`],
  ])('is not %s', (_what, body) => {
    expect(found(rule(body))).toEqual([]);
  });
});

describe('a whole object in the hands of a third party', () => {
  it.each([
    ['request', `request.post({ url: 'https://a.example', json: user }, () => { ${NEXT} });`, '2:48'],
    ['fetch', `fetch('https://a.example', { body: JSON.stringify(context) }).then(() => callback(null));`, '2:51'],
    ['a module', `require('axios').post('https://a.example', { ...user });\n${NEXT}`, '2:49'],
    [
      'a module with a name',
      `const axios = require('axios@0.21.1');\naxios.post('https://a.example', [context]);\n${NEXT}`,
      '3:34',
    ],
    [
      'what a module makes',
      `const slack = require('slack-notify')('https://a.example');\nslack.alert({ fields: { user } });\n${NEXT}`,
      '3:25',
    ],
    ['a copy', `const all = Object.assign({}, user);\nrequest.post({ json: all });\n${NEXT}`, '3:22'],
    ['a text', `request.post({ body: \`user=\${JSON.stringify(user)}\` });\n${NEXT}`, '2:45'],
  ])('by %s', (_what, body, place) => {
    expect(found(rule(body))).toEqual([`whole-object ${place}`]);
  });

  it.each([
    ['what is named', `request.post({ json: { email: user.email, ip: context.request.ip } });\n${NEXT}`],
    ['the tenant’s own log', `console.log(user, JSON.stringify(context));\n${NEXT}`],
    ['a module that keeps it', `const _ = require('lodash');\nuser.x = _.pick(user, ['email']);\n${NEXT}`],
    ['a function of the rule', `function name(u) { return u.name; }\nuser.x = name(user);\n${NEXT}`],
    ['a handler that uses it', `request.get('https://a.example', () => { callback(null, user, context); });`],
  ])('is not %s', (_what, body) => {
    expect(found(rule(body))).toEqual([]);
  });
});

describe('the Management API at each login', () => {
  it.each([
    [
      'the auth0 object',
      `auth0.users.updateAppMetadata(user.user_id, {}).then(() => callback(null)).catch(callback);`,
      '2:1',
    ],
    ['its base address', `request.get(auth0.baseUrl + '/users', (err) => callback(err));`, '2:1'],
    [
      'a client',
      `const { ManagementClient } = require('auth0@2.9.1');\nconst api = new ManagementClient({ token: auth0.accessToken });\n${NEXT}`,
      '3:13',
    ],
    ['an address', `fetch(\`https://\${auth0.domain}/api/v2/users\`).then(() => callback(null));`, '2:1'],
    [
      'behind a look at an error',
      `request.get('https://a.example', (err) => {\nif (err) return callback(err);\nauth0.users.get({ id: user.user_id }).then(() => callback(null)); });`,
      '4:1',
    ],
  ])('is called through %s', (_what, body, place) => {
    expect(found(rule(body))).toEqual([`management-call ${place}`]);
  });

  it.each([
    [
      'is called once for a person',
      `user.app_metadata = user.app_metadata || {};\nif (user.app_metadata.done) return ${NEXT}\nauth0.users.updateAppMetadata(user.user_id, { done: true }).then(() => callback(null));`,
    ],
    [
      'is called under a condition',
      `if (context.stats.loginsCount === 1) {\nreturn auth0.users.get({ id: user.user_id }).then(() => callback(null)); }\n${NEXT}`,
    ],
  ])('%s', (_what, body) => {
    expect(found(rule(body))).toEqual([]);
  });
});

describe('what is no rule', () => {
  it.each([
    [
      'a mistake in the text',
      'function (user, context, callback) {\n  callback(null, user context);\n}',
      'syntax 2:23',
    ],
    ['something behind the function', `${rule(NEXT)}\nfoo();`, 'syntax 4:1'],
    ['no function', '42', 'syntax 1:1'],
    ['nothing', '', 'syntax 1:1'],
  ])('%s is found where it is', (_what, script, finding) => {
    const [first = ''] = found(script);
    expect(found(script)).toHaveLength(1);
    expect(first.split(' ')[0]).toBe(finding.split(' ')[0]);
    if (finding !== 'syntax 1:1') expect(first).toBe(finding);
  });

  it.each([
    ['a program', '// Title\nvar a = 1;'],
    ['an action', "const _ = require('lodash');\nexports.onExecutePostLogin = async () => {};"],
    ['an assignment', 'module.exports = function (user, context, callback) {};'],
    ['comments alone', '// later\n'],
  ])('%s is told what a rule is', (_what, script) => {
    expect(lintRule(script)).toMatchObject([
      { finding: 'syntax', message: expect.stringContaining('function (user, context, callback)') },
    ]);
  });
});
