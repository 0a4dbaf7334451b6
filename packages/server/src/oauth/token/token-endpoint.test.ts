import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestClient, eventTypesOf, passwordGrant } from '../../../test/protocol.ts';
import { startWorld, type World, type WorldRequest } from '../../../test/world.ts';

const API = 'https://api.example.com/';
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const post = (asked: Omit<WorldRequest, 'path'>) => world.request({ method: 'POST', path: '/oauth/token', ...asked });
const machine = () => ({
  grant_type: 'client_credentials',
  ...world.password_client,
  audience: API,
});

describe('POST /oauth/token', () => {
  it.each([
    ['no grant type', {}, 400, 'invalid_request', 'Missing required parameter: grant_type'],
    ['an empty grant type', { grant_type: '' }, 400, 'invalid_request', 'Missing required parameter: grant_type'],
    ['a grant type that is none', { grant_type: 'x' }, 400, 'unsupported_grant_type', 'Unsupported grant type: x'],
    ['no client', { grant_type: 'password' }, 400, 'invalid_request', 'Missing required parameter: client_id'],
    [
      'an unknown client',
      { grant_type: 'password', client_id: 'x', client_secret: 'y' },
      401,
      'access_denied',
      'Unauthorized',
    ],
    [
      'a client id with a NUL',
      { grant_type: 'password', client_id: 'a\0b' },
      400,
      'invalid_request',
      'The request is malformed',
    ],
  ])('refuses %s', async (_what, form, status, error, description) => {
    const response = await post({ form });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toEqual({ error, error_description: description });
  });

  it('refuses a wrong secret as Auth0 does, with headers that forbid every cache', async () => {
    const response = await post({ form: { ...machine(), client_secret: 'wrong' } });
    expect(response.statusCode).toBe(401);
    expect(response.json()).toEqual({ error: 'access_denied', error_description: 'Unauthorized' });
    expect(response.headers).toMatchObject({
      'cache-control': 'private, no-store, no-cache, must-revalidate, post-check=0, pre-check=0, no-transform',
      'content-type': 'application/json; charset=utf-8',
      'x-auth0-requestid': expect.stringMatching(/^[0-9a-f]{20}$/),
    });
  });

  it('answers a token with headers that forbid every cache', async () => {
    const response = await post({ form: machine() });
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
  });

  it('refuses a grant type that the client was not given', async () => {
    const response = await post({ form: { ...machine(), grant_type: 'authorization_code', code: 'x' } });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toEqual({
      error: 'unauthorized_client',
      error_description: "Grant type 'authorization_code' not allowed for the client.",
    });
  });

  it('takes the same parameters as JSON, with scope as a text or a list', async () => {
    for (const scope of ['read:items', ['read:items']]) {
      const response = await post({ json: { ...machine(), scope } });
      expect(response.json()).toMatchObject({ scope: 'read:items', token_type: 'Bearer', expires_in: 86_400 });
    }
  });

  it.each([
    ['scope as an object', { scope: {} }, 'invalid_scope', 'Scope must be an array or a string'],
    ['scope as a number', { scope: 5 }, 'invalid_scope', 'Scope must be an array or a string'],
    ['scope as a list of other things', { scope: [1] }, 'invalid_scope', 'Scope must be an array or a string'],
    ['an audience that is a list', { audience: ['x'] }, 'invalid_request', 'Parameter must be a string: audience'],
    ['half of a character', { audience: '\ud800' }, 'invalid_request', 'The request is malformed'],
    ['a NUL', { audience: 'x\0' }, 'invalid_request', 'The request is malformed'],
    [
      'a parameter of 9,000 characters',
      { scope: 'x'.repeat(9_000) },
      'invalid_request',
      'Parameter is too long: scope',
    ],
  ])('refuses JSON with %s', async (_what, members, error, description) => {
    const response = await post({ json: { ...machine(), ...members } });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({ error, error_description: description });
  });

  it.each([
    ['a repeated parameter', 'grant_type=password&grant_type=password', 'Parameter must not be repeated: grant_type'],
    ['a broken percent sequence', 'grant_type=%zz', 'The request is malformed'],
    ['percent sequences that are no UTF-8', 'grant_type=%ff%fe', 'The request is malformed'],
    ['a NUL', 'grant_type=client_credentials&client_id=%00', 'The request is malformed'],
  ])('refuses a form with %s', async (_what, body, description) => {
    const response = await post({ body, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({ error: 'invalid_request', error_description: description });
  });

  it.each([
    ['broken JSON', 'application/json', '{"grant_type":', 400],
    ['a JSON list', 'application/json', '[]', 400],
    ['a __proto__ member', 'application/json', '{"__proto__":{"grant_type":"password"}}', 400],
    ['bytes that are no UTF-8', 'application/json', Buffer.from([0x22, 0xff, 0x22]), 400],
    ['another content type', 'text/plain', 'grant_type=password', 415],
    ['more than 64 KB', 'application/json', `{"grant_type":"${'x'.repeat(70_000)}"}`, 413],
  ])('refuses %s with an OAuth error', async (_what, type, body, status) => {
    const response = await post({ body, headers: { 'content-type': type } });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ error: 'invalid_request', error_description: expect.any(String) });
  });

  it('takes no parameter from the query string', async () => {
    const query = new URLSearchParams(machine()).toString();
    const response = await world.request({ method: 'POST', path: `/oauth/token?${query}`, form: {} });
    expect(response.json()).toMatchObject({ error_description: 'Missing required parameter: grant_type' });
  });

  it('tells a person who strays there nothing', async () => {
    expect((await world.request({ path: '/oauth/token' })).statusCode).toBe(404);
  });
});

describe('default directory', () => {
  it('is needed by the plain password grant; its lack is told with the text of Auth0 and recorded', async () => {
    const api = world.api();
    await api.patch('/tenants/settings', { default_directory: '' });
    const types = await eventTypesOf(world, async () => {
      const response = await passwordGrant(world);
      expect(response.statusCode).toBe(500);
      expect(response.json()).toEqual({
        error: 'server_error',
        error_description: 'Authorization server not configured with default connection.',
      });
    });
    expect(types).toEqual(['fepft']);
    await api.patch('/tenants/settings', { default_directory: world.connection });
    expect((await passwordGrant(world)).statusCode).toBe(200);
  });
});

describe('an application of somebody else', () => {
  it('gets no password grant', async () => {
    const stranger = await createTestClient(world, { is_first_party: false, grant_types: ['password'] });
    const response = await passwordGrant(world, { ...stranger });
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({ error: 'unauthorized_client' });
  });
});
