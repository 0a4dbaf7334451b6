import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMachinery, type Machinery, send, type ThingStores } from '../../test/management-machinery.ts';
import type { Management, ManagementCall } from './call.ts';

let world: Machinery;
let seen: ManagementCall<ThingStores> | undefined;

beforeAll(async () => {
  world = await createMachinery(routes);
});
afterAll(() => world.app.close());

function routes(management: Management<ThingStores>): void {
  management.route('POST /roles', async (call) => {
    seen = call;
    return call.commit(async ({ things }) => {
      things.set('role', call.body);
      if (call.body.name === 'breaks') throw new Error('secret of the inside');
      return { id: 'rol_1', ...call.body };
    });
  });
  management.route('PATCH /roles/{id}', async () => ({ forgot: 'to commit' }));
  management.route('DELETE /roles/{id}', (call) => call.commit(async () => ({})));
  management.route('DELETE /roles/{id}/permissions', async (call) => {
    seen = call;
    await call.commit(async () => undefined);
  });
  management.route('PATCH /connections/{id}/clients', async (call) => {
    seen = call;
    await call.commit(async () => undefined);
  });
  management.route('GET /resource-servers/{id}', async (call) => {
    call.setHeader?.('link', '<next>');
    return { id: call.params.id, name: 'n', scopes: [] };
  });
  management.route('GET /clients/{id}', async (call) => {
    call.accessedSecrets(['client_secret']);
    return { client_id: call.params.id, client_secret: 's' };
  });
  management.route('POST /clients', async (call) => {
    seen = call;
    return call.commit(async () => call.body);
  });
  management.route('GET /users/{id}', async (call) => ({ user_id: call.params.id, own: call.onlyOwnUser }));
  management.route('PATCH /users/{id}', async (call) => call.commit(async () => call.body));
}

const json = { 'content-type': 'application/json' };

describe('what the Management API refuses', () => {
  it('says in the words of Auth0 that a property is not allowed', async () => {
    const answer = await world.call('create:roles', {
      method: 'POST',
      url: '/api/v2/roles',
      payload: { name: 'a', enabled: true },
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      message: "Payload validation error: 'Additional properties not allowed: enabled'.",
      errorCode: 'invalid_body',
    });
  });

  it.each([
    [{}, "'Missing required property: name'"],
    [{ name: 3 }, "'Expected type string but found type integer' on property name"],
    [{ name: null }, "'Expected type string but found type null' on property name"],
    [{ name: 'a', description: ['b'] }, "'Expected type string but found type array' on property description"],
    [[], "'Expected type object but found type array'"],
    [{ name: 'a\u0000b' }, "'Strings may not contain the character U+0000'"],
    [{ name: 'a\ud800' }, "'Strings must be well-formed Unicode'"],
  ])('names the fault of the body %j', async (payload, problem) => {
    const answer = await world.call('create:roles', { method: 'POST', url: '/api/v2/roles', payload });
    expect(answer).toMatchObject({
      status: 400,
      body: { message: `Payload validation error: ${problem}.`, errorCode: 'invalid_body' },
    });
  });

  it.each([
    ['{"name":', json],
    ['{"name":"a","__proto__":{"admin":true}}', json],
    [Buffer.from([0x7b, 0xff, 0x7d]), json],
    ['name=%zz', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('answers a body that it can not read (%j) with invalid_body', async (payload, headers) => {
    const answer = await world.call('create:roles', { method: 'POST', url: '/api/v2/roles', payload, headers });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      message: 'Invalid request payload JSON format',
      errorCode: 'invalid_body',
    });
  });

  it('refuses bodies that are too large and content types that it does not read', async () => {
    const large = await world.call('create:roles', {
      method: 'POST',
      url: '/api/v2/roles',
      payload: { name: 'x'.repeat(1_100_000) },
    });
    expect(large).toMatchObject({ status: 413, body: { statusCode: 413, error: 'Payload Too Large' } });
    const text = await world.call('create:roles', {
      method: 'POST',
      url: '/api/v2/roles',
      payload: 'x',
      headers: { 'content-type': 'text/plain' },
    });
    expect(text).toMatchObject({ status: 415, body: { statusCode: 415, error: 'Unsupported Media Type' } });
  });

  it('refuses a body that is nested deeper than anybody means', async () => {
    const payload = `{"name":"a","description":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const answer = await world.call('create:roles', { method: 'POST', url: '/api/v2/roles', payload, headers: json });
    expect(answer.status).toBe(400);
  });

  it('answers 404 to what is not built, with or without a token', async () => {
    const expected = { statusCode: 404, error: 'Not Found', message: 'Not Found' };
    for (const url of ['/api/v2/hooks', '/api/v2/nothing', '/api/v2', '/api/v2/roles/a/b/c']) {
      expect(await world.call('', { method: 'GET', url })).toMatchObject({ status: 404, body: expected });
    }
    expect(await send(world.app, { method: 'PUT', url: '/api/v2/roles' })).toMatchObject({
      status: 404,
      body: expected,
    });
  });

  it('tells nothing of an error of its own but a reference', async () => {
    const answer = await world.call('create:roles', {
      method: 'POST',
      url: '/api/v2/roles',
      payload: { name: 'breaks' },
    });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('inside');
    expect(world.things.has('role')).toBe(false);
    expect(world.log.join()).toContain('secret of the inside');
  });

  it('answers 500 where a change ends without its commit', async () => {
    const answer = await world.call('update:roles', {
      method: 'PATCH',
      url: '/api/v2/roles/rol_1',
      payload: { name: 'a' },
    });
    expect(answer.status).toBe(500);
  });
});

describe('who may', () => {
  const url = '/api/v2/roles';

  it('asks for a token', async () => {
    const answer = await send(world.app, { method: 'POST', url, payload: '{', headers: json });
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({
      statusCode: 401,
      error: 'Unauthorized',
      message: 'Missing authentication',
      attributes: { error: 'Missing authentication' },
    });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it.each(['Basic YTpi', 'Bearer', 'Bearer not-a-jwt', 'Bearer a b'])(
    'refuses the header "%s"',
    async (authorization) => {
      const answer = await send(world.app, { method: 'POST', url, headers: { authorization } });
      expect(answer).toMatchObject({ status: 400, body: { message: 'Bad HTTP authentication header format' } });
    },
  );

  it('names the scopes of which one is needed, before it looks at the body', async () => {
    const answer = await world.call('read:users', { method: 'GET', url: '/api/v2/resource-servers/a?bad=1' });
    expect(answer).toMatchObject({
      status: 403,
      body: {
        statusCode: 403,
        error: 'Forbidden',
        message: 'Insufficient scope, expected any of: read:resource_servers',
        errorCode: 'insufficient_scope',
      },
    });
  });

  it("lets an end user's token read its own user and no other", async () => {
    const authorization = `Bearer ${await world.token('read:current_user', { sub: 'auth0|ada', azp: 'spa' })}`;
    const own = await send(world.app, { method: 'GET', url: '/api/v2/users/auth0%7Cada', headers: { authorization } });
    expect(own).toMatchObject({ status: 200, body: { user_id: 'auth0|ada', own: true } });
    const other = await send(world.app, {
      method: 'GET',
      url: '/api/v2/users/auth0%7Cbob',
      headers: { authorization },
    });
    expect(other).toMatchObject({
      status: 403,
      body: { message: 'User to be acted on does not match subject in bearer token.' },
    });
    const machine = await world.call('read:current_user', { method: 'GET', url: '/api/v2/users/client1%40clients' });
    expect(machine.status).toBe(403);
  });

  it("lets an end user's token change its metadata and nothing else", async () => {
    const authorization = `Bearer ${await world.token('update:current_user_metadata', { sub: 'auth0|ada', azp: 'spa' })}`;
    const patch = (payload: object) =>
      send(world.app, { method: 'PATCH', url: '/api/v2/users/auth0%7Cada', headers: { authorization }, payload });
    expect((await patch({ user_metadata: { a: 1 } })).status).toBe(200);
    expect((await patch({ user_metadata: {}, email_verified: true })).status).toBe(403);
    expect((await patch({ app_metadata: { admin: true } })).status).toBe(403);
  });
});

describe('how a call reaches its handler', () => {
  it('decodes an id of the path once', async () => {
    const read = (id: string) =>
      world.call('read:resource_servers', { method: 'GET', url: `/api/v2/resource-servers/${id}` });
    expect(await read('https%3A%2F%2Fapi.example%2Fv1%2F')).toMatchObject({
      status: 200,
      body: { id: 'https://api.example/v1/' },
    });
    expect(await read('a%257Cb')).toMatchObject({ status: 200, body: { id: 'a%7Cb' } });
    expect(await read('a%00b')).toMatchObject({ status: 400, body: { errorCode: 'invalid_uri' } });
    expect(await read('x'.repeat(600))).toMatchObject({ status: 200 });
  });

  it('reads the JSON body of a DELETE', async () => {
    const payload = { permissions: [{ resource_server_identifier: 'urn:api', permission_name: 'read:it' }] };
    const answer = await world.call('update:roles', {
      method: 'DELETE',
      url: '/api/v2/roles/rol_1/permissions',
      payload,
    });
    expect(answer).toMatchObject({ status: 204, body: undefined });
    expect(seen?.body).toEqual(payload);
  });

  it('reads a body that is a list', async () => {
    const payload = [{ client_id: 'a', status: true }];
    const answer = await world.call('update:connections', {
      method: 'PATCH',
      url: '/api/v2/connections/con_0123456789abcdef/clients',
      payload,
    });
    expect(answer.status).toBe(204);
    expect(seen?.bodyList).toEqual(payload);
  });

  it('reads a form body with the types of the schema', async () => {
    const answer = await world.call('create:clients', {
      method: 'POST',
      url: '/api/v2/clients',
      payload: 'name=My+app&is_first_party=true&callbacks=https%3A%2F%2Fa.example&callbacks=https%3A%2F%2Fb.example',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(answer.status).toBe(201);
    expect(seen?.body).toEqual({
      name: 'My app',
      is_first_party: true,
      callbacks: ['https://a.example', 'https://b.example'],
    });
  });

  it('answers HEAD like GET without its body', async () => {
    const authorization = `Bearer ${await world.token('read:resource_servers')}`;
    const response = await world.app.inject({
      method: 'HEAD',
      url: '/api/v2/resource-servers/a',
      headers: { authorization },
    });
    expect([response.statusCode, response.body]).toEqual([200, '']);
  });

  it('lets a handler set a header', async () => {
    const answer = await world.call('read:resource_servers', { method: 'GET', url: '/api/v2/resource-servers/a' });
    expect(answer.headers).toMatchObject({ link: '<next>', 'cache-control': 'no-cache' });
  });

  it('keeps the fields that were asked for, or leaves them out', async () => {
    const read = (query: string) =>
      world.call('read:resource_servers', { method: 'GET', url: `/api/v2/resource-servers/a?${query}` });
    expect((await read('fields=id,name')).body).toEqual({ id: 'a', name: 'n' });
    expect((await read('fields=id&include_fields=false')).body).toEqual({ name: 'n', scopes: [] });
  });
});
