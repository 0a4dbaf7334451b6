import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationNamed, operationNames } from '../../src/management/catalogue.ts';
import { startWorld, type World } from '../world.ts';
import { codeThingsNamed } from './code-examples.ts';
import { examplesFor, FOR_END_USERS } from './examples.ts';
import { type Home, inhabit } from './inhabited-tenant.ts';
import { NOT_BUILT } from './not-built.ts';

const RESOURCES =
  /^\/(tenants\/settings|clients|resource-servers|client-grants|token-exchange-profiles|connections|users|users-by-email|roles|custom-domains|tickets|keys\/signing|branding(?!\/phone)|prompts|logs|rules|rules-configs|hooks|actions|stats|gatewright|log-streams)(\/|$)/;

let world: World;
let home: Home;
let everyScope: readonly string[];
beforeAll(async () => {
  world = await startWorld();
  home = await inhabit(world, world.main);
  everyScope = [...new Set(operationNames.flatMap((name) => operationNamed(name).scopes))];
});
afterAll(() => world.stop());

const built = Object.keys(examplesFor(nothing()));

describe('the Management API', () => {
  it('has every operation of its resources, but for those that belong to what is not built yet', () => {
    const wanted = operationNames.filter((name) => RESOURCES.test(operationNamed(name).path));
    expect(wanted.filter((name) => !built.includes(name)).sort()).toEqual([...NOT_BUILT].sort());
  });

  it('answers 404 to every operation that is not built, never 501, which SDKs would try again', async () => {
    const token = await world.managementToken();
    for (const name of operationNames) {
      if (built.includes(name)) continue;
      const { method, path } = operationNamed(name);
      const response = await call(method, path.replaceAll(/\{\w+\}/g, 'unknown'), token, {});
      expect([name, response.statusCode, response.json().error]).toEqual([name, 404, 'Not Found']);
    }
  });
});

describe('who may', () => {
  it.each(built)('%s: no token is 401, a token without its scopes 403', async (name) => {
    const { method, scopes } = operationNamed(name);
    const { path, body } = exampleOf(name);
    expect((await call(method, path, undefined, body)).json()).toEqual({
      statusCode: 401,
      error: 'Unauthorized',
      message: 'Missing authentication',
      attributes: { error: 'Missing authentication' },
    });
    const others = everyScope.filter((scope) => !scopes.includes(scope));
    const response = await call(method, path, await tokenWith(others), body);
    expect(response.json()).toEqual({
      statusCode: 403,
      error: 'Forbidden',
      message: `Insufficient scope, expected any of: ${scopes.join(',')}`,
      errorCode: 'insufficient_scope',
    });
  });

  it.each(built)('%s: each of its scopes is enough by itself', async (name) => {
    const { method, scopes } = operationNamed(name);
    for (const scope of scopes) {
      const { path, body } = exampleOf(name);
      const response = await call(method, path, await tokenWith([scope]), BODIES[`${name} ${scope}`] ?? body);
      if (scope.includes(':current_user')) {
        const message = 'User to be acted on does not match subject in bearer token.';
        expect([scope, response.statusCode, response.json().message]).toEqual([scope, 403, message]);
      } else {
        // Changes are asked of what is not there, so that the walk ends nothing.
        const expected = method === 'GET' ? [200] : [200, 201, 202, 204, 400, 404, 409];
        expect([scope, response.statusCode]).toEqual([scope, expect.toBeOneOf(expected)]);
      }
    }
  });
});

describe('every answer', () => {
  const forMachines = built.filter((name) => !FOR_END_USERS.has(name));

  it.each(forMachines)('%s: tells the rate limit, and 400 to a parameter that it does not have', async (name) => {
    const { method } = operationNamed(name);
    const { path, body } = exampleOf(name);
    const response = await call(method, `${path}${path.includes('?') ? '&' : '?'}hostile=1`, await tokenWith([]), body);
    expect(response.json()).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      message: "Query validation error: 'Additional properties not allowed: hostile'.",
      errorCode: 'invalid_query_string',
    });
    const { headers } = response;
    expect(Number(headers['x-ratelimit-limit'])).toBeGreaterThan(0);
    expect(Number(headers['x-ratelimit-remaining'])).toBeLessThan(Number(headers['x-ratelimit-limit']));
    expect(String(headers['x-ratelimit-reset'])).toMatch(/^\d{10}$/);
  });

  it.each(forMachines.filter((name) => operationNamed(name).body))(
    '%s: 400 to a body of another type, a member that it does not have, or no JSON',
    async (name) => {
      const { method } = operationNamed(name);
      const { path, body } = exampleOf(name);
      const token = await tokenWith([]);
      // The catalogue leaves the items of a list open.
      const wrongMember = Array.isArray(body) ? [{ hostile: 1 }] : { ...Object(body), hostile: 1 };
      const bodies: unknown[] = ['text', 7, null, Array.isArray(body) ? {} : []];
      if (!ALLOWS_MORE.test(name)) bodies.push(wrongMember);
      const responses = await Promise.all(bodies.map((wrong) => call(method, path, token, wrong)));
      for (const response of responses)
        expect(response.json()).toMatchObject({
          statusCode: 400,
          errorCode: 'invalid_body',
          message: expect.stringMatching(/^Payload validation error: '.+'( on property [^ ]+)?\.$/),
        });
      if (!Array.isArray(body) && !OPEN_BODIES.test(name) && !ALLOWS_MORE.test(name))
        expect(responses.at(-1)?.json().message).toContain("'Additional properties not allowed: hostile");
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const broken = await world.request({ method, path: `/api/v2${path}`, headers, body: '{"name":' });
      expect(broken.json()).toMatchObject({ statusCode: 400, errorCode: 'invalid_body' });
    },
  );
});

/** Their members are names of screens, or of secrets. */
const OPEN_BODIES = /custom-text|partials|secrets/;
/** The catalogue leaves it open. */
const ALLOWS_MORE = /rollback/;

const BODIES: Readonly<Record<string, unknown>> = {
  'PATCH /clients/{id} update:client_keys': { client_secret: 'a new secret of the client' },
  'PATCH /clients/{id} update:client_credentials': { client_authentication_methods: null },
  'PATCH /clients/{id} update:client_token_vault_privileged_access': { token_vault_privileged_access: null },
  'PATCH /users/{id} update:users_app_metadata': { app_metadata: { plan: 'basic' } },
};

/** Reads are asked of what is there, changes of what is not. */
function exampleOf(name: string): { readonly path: string; readonly body?: unknown } {
  const example = examplesFor(operationNamed(name).method === 'GET' ? home : nothing())[name];
  if (!example) throw new Error(`${name} has no example.`);
  return example;
}

const tokens = new Map<string, Promise<string>>();

/** No scopes: all of them. */
function tokenWith(scopes: readonly string[]): Promise<string> {
  const key = scopes.join(' ');
  const token = tokens.get(key) ?? world.managementToken(scopes);
  tokens.set(key, token);
  return token;
}

function call(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  token: string | undefined,
  body: unknown,
): Promise<Response> {
  return world.request({
    method,
    path: `/api/v2${path}`,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body !== undefined && { json: body }),
  });
}

/** Ids of the right shape that nothing has. */
function nothing() {
  const id = 'x'.repeat(16);
  return {
    client: 'x'.repeat(32),
    credential: `cred_${'x'.repeat(22)}`,
    grant: `cgr_${id}`,
    profile: `tep_${id}`,
    exchangeAction: `tep_${id}`,
    api: '0'.repeat(24),
    identifier: 'https://nothing.example/',
    permission: 'read:nothing',
    connection: `con_${id}`,
    connectionName: 'nowhere',
    user: `auth0|${'0'.repeat(24)}`,
    email: 'nobody@example.com',
    consent: id,
    role: `rol_${id}`,
    key: 'x'.repeat(21),
    previousKey: 'x'.repeat(21),
    log: '9'.repeat(56),
    theme: 'x'.repeat(32),
    customDomain: `cd_${id}`,
    ownHost: 'localhost:3443',
    job: `job_${id}`,
    alert: `alr_${id}`,
    person: `auth0|${'1'.repeat(24)}`,
    secondary: `auth0|${'2'.repeat(24)}`,
    session: 'x'.repeat(32),
    refreshToken: `rt_${'x'.repeat(22)}`,
    code: codeThingsNamed('x'.repeat(24)),
    logStream: `lst_${id}`,
  };
}
