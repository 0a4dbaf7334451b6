import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setActions } from '../actions/actions.ts';
import { describeInChromium, launchChromium } from '../chromium.ts';
import { createCustomDirectory } from '../custom-databases/custom-directory.ts';
import { startPeopleDatabase } from '../custom-databases/legacy-stores.ts';
import { created, decodeJwt, passwordGrant, redeem } from '../protocol.ts';
import { setRules } from '../rules/rules.ts';
import { CALLBACK } from '../visitor.ts';
import { startWorld, type World } from '../world.ts';
import { startPartnerApi } from './partner-api.ts';

// One tenant of somebody who comes from Auth0: its rule, its actions and its database scripts as they are. Together they
// require request, lodash, auth0@2, axios, jsonwebtoken, bcrypt and pg.

const NAMESPACE = 'https://acme.example.com';
const EMAIL = 'vera@people.test';
const PASSWORD = 'veras-old-password';
const PARTNER_KEY = 'key-of-the-partner';
const SIGNING_KEY = randomBytes(32).toString('hex');
const MODULES = new Map([
  ['axios', '1.21.1'],
  ['jsonwebtoken', '8.5.1'],
  ['lodash', '4.17.21'],
]);
const code = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');

describeInChromium('a tenant with a rule, actions and database scripts from Auth0', () => {
  let world: World;
  let socket: Server;
  let people: Awaited<ReturnType<typeof startPeopleDatabase>>;
  let partner: Awaited<ReturnType<typeof startPartnerApi>>;
  let browser: Browser;
  let origin: string;
  let userId: string;

  beforeAll(async () => {
    socket = createServer((request, response) => world.app.http.routing(request, response)).listen(0, '127.0.0.1');
    await once(socket, 'listening');
    const httpPort = (socket.address() as AddressInfo).port;
    origin = `http://localhost:${httpPort}`;
    [world, people, partner, browser] = await Promise.all([
      startWorld({
        httpPort,
        // A busy machine makes containers miss 20 s.
        findModule: async (name) => MODULES.get(name),
      }),
      startPeopleDatabase(),
      startPartnerApi(PARTNER_KEY, SIGNING_KEY),
      launchChromium(),
    ]);
    for (const { target } of [people, partner]) await world.app.stores.egress.allow('dev', 'intranet', target);
    world.app.forget('dev');
    userId = `auth0|${await people.add(EMAIL, PASSWORD)}`;
    await setUp();
  });
  afterAll(async () => {
    await browser?.close();
    socket?.close().closeAllConnections();
    await world?.stop();
    await people?.stop();
    partner?.stop();
  });

  it('logs its user in through Chromium: what each part says arrives in the tokens', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(90_000);
    await page.route(`${CALLBACK}**`, (route) => route.fulfill({ body: 'back at the application' }));
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      client_id: world.spa_client.client_id,
      response_type: 'code',
      redirect_uri: CALLBACK,
      scope: 'openid profile email',
      audience: world.main.api.identifier,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    await page.goto(`${origin}/authorize?${query}`);
    await page.getByLabel('Email address').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByText('back at the application').waitFor();
    const given = new URL(page.url()).searchParams;
    expect(given.get('error_description')).toBeNull();
    expectClaims((await redeem(world, { code: given.get('code') ?? '', verifier })).json());
  });

  it('logs its user in by the password grant: the same tokens', async () => {
    const form = { username: EMAIL, scope: 'openid profile email', audience: world.main.api.identifier };
    expectClaims((await passwordGrant(world, { ...form, password: PASSWORD })).json());
    expect((await passwordGrant(world, { ...form, password: 'not-hers' })).json()).toMatchObject({
      error: 'invalid_grant',
    });
    // What the rule wrote through the Management API has stayed.
    const user = await world.api().get(`/users/${encodeURIComponent(userId)}`);
    expect(user.json()).toMatchObject({ app_metadata: { company: 'Acme' } });
  });

  it("adds to a machine's token, and asks neither the rule nor the partner about it", async () => {
    const before = partner.asked.length;
    const audience = world.main.api.identifier;
    const response = await world.token({ grant_type: 'client_credentials', ...world.password_client, audience });
    const { access_token } = response.json();
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
    const api = world.api();
    const scripts = { login: code('login.database.js'), get_user: code('get-user.database.js') };
    await createCustomDirectory(world, 'people', scripts, { configuration: { DATABASE_URL: people.url } });
    await created(api.patch('/tenants/settings', { default_directory: 'people' }));
    await created(api.put('/rules-configs/PARTNER_API', { value: partner.url }));
    await created(api.put('/rules-configs/PARTNER_KEY', { value: PARTNER_KEY }));
    await setRules(world, [['Enrich', code('enrich.rule.js')]]);
    const secrets = [
      { name: 'PARTNER_API', value: partner.url },
      { name: 'SIGNING_KEY', value: SIGNING_KEY },
    ];
    const latest = (name: string) => ({ name, version: 'latest' });
    const dependencies = [latest('axios'), latest('jsonwebtoken')];
    await setActions(world, 'post-login', [{ code: code('plan.action.js'), dependencies, secrets }]);
    const machine = { code: code('machine.action.js'), dependencies: [{ name: 'lodash', version: '4.17.21' }] };
    await setActions(world, 'credentials-exchange', [machine]);
    const { client_id } = world.password_client;
    await created(api.patch(`/clients/${client_id}`, { client_metadata: { tier: 'gold' } }));
  }
});
