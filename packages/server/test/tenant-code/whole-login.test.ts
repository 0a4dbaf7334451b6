import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInChromium, launchChromium } from '../chromium.ts';
import { startPeopleDatabase } from '../custom-databases/legacy-stores.ts';
import { COMMAND } from '../operations/command.ts';
import { decodeJwt } from '../protocol.ts';
import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { startPartnerApi } from './partner-api.ts';

// One tenant of somebody who comes from Auth0: its rule, its actions and its database scripts as they are. Together they
// require request, lodash, auth0@2, axios, jsonwebtoken, bcrypt and pg.

const CALLBACK = 'http://localhost:5555/callback';
const NAMESPACE = 'https://acme.example.com';
const EMAIL = 'vera@people.test';
const PASSWORD = 'veras-old-password';
const PARTNER_KEY = 'key-of-the-partner';
const SIGNING_KEY = randomBytes(32).toString('hex');
const code = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');

describeInChromium('a tenant with a rule, actions and database scripts from Auth0', () => {
  let server: ServerProcess;
  let people: Awaited<ReturnType<typeof startPeopleDatabase>>;
  let partner: Awaited<ReturnType<typeof startPartnerApi>>;
  let browser: Browser;
  let bearer: string;
  let userId: string;

  beforeAll(async () => {
    [server, people, partner, browser] = await Promise.all([
      startServerProcess(),
      startPeopleDatabase(),
      startPartnerApi(PARTNER_KEY, SIGNING_KEY),
      launchChromium(),
    ]);
    for (const target of [people.target, partner.target]) await allow(target);
    const { client_id, client_secret, audience } = server.firstRun.management;
    const granted = await token({ grant_type: 'client_credentials', client_id, client_secret, audience });
    bearer = String(granted.access_token);
    userId = `auth0|${await people.add(EMAIL, PASSWORD)}`;
    await setUp();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await people?.stop();
    partner?.stop();
  });

  it('logs its user in through Chromium: what each part says arrives in the tokens', async () => {
    const page = await browser.newPage();
    await page.route(`${CALLBACK}**`, (route) => route.fulfill({ body: 'back at the application' }));
    const verifier = randomBytes(32).toString('base64url');
    const { client_id } = server.firstRun.spa_client;
    const query = new URLSearchParams({
      client_id,
      response_type: 'code',
      redirect_uri: CALLBACK,
      scope: 'openid profile email',
      audience: server.firstRun.api.identifier,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    await page.goto(`${server.httpOrigin}/authorize?${query}`);
    await page.getByLabel('Email address').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByText('back at the application').waitFor();
    const given = new URL(page.url()).searchParams;
    expect(given.get('error_description')).toBeNull();
    expectClaims(
      await token({
        grant_type: 'authorization_code',
        client_id,
        code: given.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: CALLBACK,
      }),
    );
  });

  it('logs its user in by the password grant: the same tokens', async () => {
    const { client_id, client_secret } = server.firstRun.password_client;
    const form = { grant_type: 'password', client_id, client_secret, username: EMAIL, scope: 'openid profile email' };
    const audience = server.firstRun.api.identifier;
    expectClaims(await token({ ...form, audience, password: PASSWORD }));
    expect(await token({ ...form, audience, password: 'not-hers' })).toMatchObject({ error: 'invalid_grant' });
    // What the rule wrote through the Management API has stayed.
    const user = await ask(`/users/${encodeURIComponent(userId)}`, 'GET');
    expect(user).toMatchObject({ app_metadata: { company: 'Acme' } });
  });

  it("adds to a machine's token, and asks neither the rule nor the partner about it", async () => {
    const before = partner.asked.length;
    const { client_id, client_secret } = server.firstRun.password_client;
    const audience = server.firstRun.api.identifier;
    const { access_token } = await token({ grant_type: 'client_credentials', client_id, client_secret, audience });
    expect(decodeJwt(access_token).claims).toMatchObject({ [`${NAMESPACE}/tier`]: 'gold' });
    expect(partner.asked).toHaveLength(before);
  });

  function expectClaims({ id_token, access_token }: Record<string, unknown>): void {
    const company = { [`${NAMESPACE}/company`]: 'Acme' };
    const plan = { [`${NAMESPACE}/plan`]: `gold for ${userId}, ${EMAIL}` };
    expect(decodeJwt(id_token).claims).toMatchObject({
      ...{ sub: userId, email: EMAIL, email_verified: true, nickname: 'vera' },
      ...{ ...company, ...plan, [`${NAMESPACE}/providers`]: ['auth0'] },
    });
    expect(decodeJwt(access_token).claims).toMatchObject({ sub: userId, ...company, ...plan });
  }

  /** As an operator of Auth0 would: the connection with its scripts, the rule with its settings, the actions with theirs. */
  async function setUp(): Promise<void> {
    const { spa_client, password_client } = server.firstRun;
    const clients = [spa_client.client_id, password_client.client_id];
    await ask('/connections', 'POST', {
      name: 'people',
      strategy: 'auth0',
      enabled_clients: clients,
      options: {
        enabledDatabaseCustomization: true,
        customScripts: { login: code('login.database.js'), get_user: code('get-user.database.js') },
        configuration: { DATABASE_URL: people.url },
      },
    });
    await ask('/tenants/settings', 'PATCH', { default_directory: 'people' });
    await ask('/rules-configs/PARTNER_API', 'PUT', { value: partner.url });
    await ask('/rules-configs/PARTNER_KEY', 'PUT', { value: PARTNER_KEY });
    await ask('/rules', 'POST', { name: 'Enrich', script: code('enrich.rule.js'), enabled: true });
    await bind('post-login', {
      code: code('plan.action.js'),
      dependencies: ['axios', 'jsonwebtoken'].map((name) => ({ name, version: 'latest' })),
      secrets: [
        { name: 'PARTNER_API', value: partner.url },
        { name: 'SIGNING_KEY', value: SIGNING_KEY },
      ],
    });
    await bind('credentials-exchange', {
      code: code('machine.action.js'),
      dependencies: [{ name: 'lodash', version: '4.17.21' }],
    });
    await ask(`/clients/${password_client.client_id}`, 'PATCH', { client_metadata: { tier: 'gold' } });
  }

  async function bind(trigger: string, body: object): Promise<void> {
    const action = { name: `At ${trigger}`, supported_triggers: [{ id: trigger }], deploy: true, ...body };
    const { id } = await ask('/actions/actions', 'POST', action);
    const bindings = [{ ref: { type: 'action_id', value: id } }];
    await ask(`/actions/triggers/${trigger}/bindings`, 'PATCH', { bindings });
  }

  async function ask(path: string, method: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${server.httpOrigin}/api/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    expect(response.status, text).toBeLessThan(300);
    return { ...Object(JSON.parse(text)) };
  }

  async function token(form: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
    const response = await fetch(`${server.httpOrigin}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    return { ...Object(await response.json()) };
  }

  async function allow(target: string): Promise<void> {
    const env = { ...process.env, GATEWRIGHT_DATA_DIR: server.dataDir };
    await promisify(execFile)(process.execPath, [COMMAND, 'egress', 'allow', 'dev', target, '--intranet'], { env });
  }
});
