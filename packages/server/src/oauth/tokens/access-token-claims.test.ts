import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  created,
  createTestClient,
  createTestUser,
  decodeJwt,
  passwordGrant,
  type TestClient,
} from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const SCOPES = [{ value: 'read' }, { value: 'write' }];

let world: World;
let machine: TestClient;
let user: { id: string; email: string; password: string };
beforeAll(async () => {
  world = await startWorld();
  user = await createTestUser(world, 'claims');
  machine = await createTestClient(world, { grant_types: ['client_credentials'] }, { mayLogIn: false });
});
afterAll(() => world.stop());

async function api(identifier: string, body: Record<string, unknown> = {}): Promise<string> {
  await created(world.api().post('/resource-servers', { identifier, scopes: SCOPES, ...body }));
  await created(
    world.api().post('/client-grants', { client_id: machine.client_id, audience: identifier, scope: ['read'] }),
  );
  return identifier;
}
const asUser = (audience: string | undefined, scope?: string) =>
  passwordGrant(world, { audience, scope, username: user.email, password: user.password });
const asMachine = (audience?: string, scope?: string) =>
  world.token({ grant_type: 'client_credentials', ...machine, ...(audience && { audience }), ...(scope && { scope }) });
const permit = (identifier: string, ...names: string[]) =>
  world.api().post(`/users/${user.id}/permissions`, {
    permissions: names.map((name) => ({ resource_server_identifier: identifier, permission_name: name })),
  });
const seconds = () => Math.floor(world.now().getTime() / 1000);

describe('an access token of the dialect', () => {
  it('access_token has azp and gty, and no permissions', async () => {
    const audience = await api('urn:plain', { enforce_policies: true });
    await permit(audience, 'read');
    const token = (await asUser(audience, 'openid read write')).json();
    expect(token).toMatchObject({ scope: 'openid read', expires_in: 86_400 });
    const { header, claims } = decodeJwt(token.access_token);
    expect(header).toEqual({ alg: 'RS256', typ: 'JWT', kid: expect.any(String) });
    expect(claims).toEqual({
      iss: world.issuer,
      sub: user.id,
      aud: [audience, `${world.issuer}userinfo`],
      iat: seconds(),
      exp: seconds() + 86_400,
      scope: 'openid read',
      azp: world.password_client.client_id,
      gty: 'password',
      jti: expect.any(String),
    });
  });

  it('access_token_authz has the permissions too, be they asked for or not', async () => {
    const audience = await api('urn:authz', { enforce_policies: true, token_dialect: 'access_token_authz' });
    await permit(audience, 'read', 'write');
    const { claims } = decodeJwt((await asUser(audience, 'read')).json().access_token);
    expect(claims).toMatchObject({ aud: audience, scope: 'read', azp: world.password_client.client_id });
    expect(claims.permissions).toEqual(expect.arrayContaining(['read', 'write']));
    const machineClaims = decodeJwt((await asMachine(audience)).json().access_token).claims;
    expect(machineClaims).toMatchObject({ permissions: ['read'], scope: 'read', gty: 'client-credentials' });
  });

  it('access_token_authz without RBAC has none', async () => {
    const audience = await api('urn:authz-off', { token_dialect: 'access_token_authz' });
    expect(decodeJwt((await asUser(audience, 'read')).json().access_token).claims).not.toHaveProperty('permissions');
  });

  it('rfc9068_profile is at+jwt with client_id and jti, and without azp and gty', async () => {
    const audience = await api('urn:rfc', { token_dialect: 'rfc9068_profile' });
    const { header, claims } = decodeJwt((await asUser(audience, 'read')).json().access_token);
    expect(header).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
    expect(claims).toEqual({
      iss: world.issuer,
      sub: user.id,
      aud: audience,
      iat: seconds(),
      exp: seconds() + 86_400,
      scope: 'read',
      client_id: world.password_client.client_id,
      jti: expect.any(String),
    });
  });

  it('rfc9068_profile_authz has the permissions too', async () => {
    const audience = await api('urn:rfc-authz', { enforce_policies: true, token_dialect: 'rfc9068_profile_authz' });
    await permit(audience, 'write');
    const { header, claims } = decodeJwt((await asUser(audience)).json().access_token);
    expect(header.typ).toBe('at+jwt');
    expect(claims).toMatchObject({ permissions: ['write'], scope: 'write' });
    expect(claims).not.toHaveProperty('azp');
  });
});

describe('an access token', () => {
  it('of an API with HS256 is signed with the secret of the API and has one audience', async () => {
    const signing_secret = 's'.repeat(40);
    const audience = await api('urn:hs256', { signing_alg: 'HS256', signing_secret });
    const { access_token } = (await asUser(audience, 'openid read')).json();
    const [header, payload, signature] = access_token.split('.');
    expect(createHmac('sha256', signing_secret).update(`${header}.${payload}`).digest('base64url')).toBe(signature);
    expect(decodeJwt(access_token)).toMatchObject({ header: { alg: 'HS256', typ: 'JWT' }, claims: { aud: audience } });
  });

  it('of a machine has its client as subject, and lives as long as its API says', async () => {
    const audience = await api('urn:short', { token_lifetime: 60 });
    const token = (await asMachine(audience)).json();
    expect(token).toEqual({ access_token: expect.any(String), scope: 'read', expires_in: 60, token_type: 'Bearer' });
    expect(decodeJwt(token.access_token).claims).toEqual({
      iss: world.issuer,
      sub: `${machine.client_id}@clients`,
      aud: audience,
      iat: seconds(),
      exp: seconds() + 60,
      scope: 'read',
      azp: machine.client_id,
      gty: 'client-credentials',
      jti: expect.any(String),
    });
  });

  it('without an audience is opaque, lives a day and opens /userinfo alone', async () => {
    const token = (await asUser(undefined, 'openid read')).json();
    expect(token).toMatchObject({ scope: 'openid', expires_in: 86_400 });
    expect(token.access_token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('has no scope claim where no scope was given', async () => {
    const audience = await api('urn:none', { enforce_policies: true });
    const token = (await asUser(audience)).json();
    expect(token).not.toHaveProperty('scope');
    expect(decodeJwt(token.access_token).claims).not.toHaveProperty('scope');
  });
});

describe('the scopes of a token', () => {
  it('are all of the API where a password login asks for none, and only known ones otherwise', async () => {
    const audience = await api('urn:scopes');
    expect((await asUser(audience)).json().scope).toBe('read write');
    expect((await asUser(audience, 'write nonsense openid')).json().scope).toBe('openid write');
    expect((await asUser(audience, 'nonsense')).json()).not.toHaveProperty('scope');
  });

  it('of a machine are those of its grant, narrowed on request and never widened', async () => {
    const audience = await api('urn:machine-scopes');
    expect((await asMachine(audience, 'read write')).json().scope).toBe('read');
    expect((await asMachine(audience, 'write')).json()).not.toHaveProperty('scope');
  });

  it('hold offline_access only where client and API allow it', async () => {
    const audience = await api('urn:offline');
    const refused = (await asUser(audience, 'offline_access read')).json();
    expect(refused.scope).toBe('read');
    expect(refused).not.toHaveProperty('refresh_token');
    const plain = await createTestClient(world, { grant_types: ['password'] });
    expect((await passwordGrant(world, { ...plain, scope: 'openid offline_access' })).json()).toMatchObject({
      scope: 'openid',
    });
  });
});

describe('an audience', () => {
  const refused = (error: string, error_description: string) => ({ error, error_description });

  it('that is unknown, or not granted to a machine, is refused with the texts of Auth0', async () => {
    const audience = 'urn:ungranted';
    await created(world.api().post('/resource-servers', { identifier: audience, scopes: SCOPES }));
    const answers = [
      await asMachine('urn:unknown'),
      await asMachine(audience),
      await asUser('urn:unknown'),
      await asMachine(),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403, 400, 403]);
    expect(answers.map((answer) => answer.json())).toEqual([
      refused('access_denied', 'Service not enabled within domain: urn:unknown'),
      refused(
        'access_denied',
        `Client is not authorized to access "${audience}". You need to create a "client-grant" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants`,
      ),
      refused('invalid_request', 'invalid audience specified for password grant exchange'),
      refused('access_denied', 'Missing required parameter: audience'),
    ]);
  });

  it('that the tenant has as default counts where none is named; one that is gone counts as none', async () => {
    const audience = await api('urn:default');
    await world.api().patch('/tenants/settings', { default_audience: audience });
    expect(decodeJwt((await asUser(undefined, 'read')).json().access_token).claims.aud).toBe(audience);
    expect(decodeJwt((await asMachine()).json().access_token).claims.aud).toBe(audience);
    const apis = (await world.api().get('/resource-servers')).json();
    const { id } = apis.find(({ identifier }: { identifier: string }) => identifier === audience);
    await world.api().delete(`/resource-servers/${id}`);
    const token = (await asUser(undefined, 'openid')).json();
    expect(token.access_token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    await world.api().patch('/tenants/settings', { default_audience: '' });
  });

  it('of the Management API gives a user the scopes about themselves alone', async () => {
    const token = (
      await asUser(world.managementAudience, 'read:users read:current_user update:current_user_metadata')
    ).json();
    expect(token.scope ?? '').not.toContain('read:users');
  });
});

describe('the realm of a password login', () => {
  const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';
  const ask = (changes: Record<string, string | undefined>) =>
    passwordGrant(world, { grant_type: PASSWORD_REALM, scope: 'openid', ...changes });

  it('is the connection to log in to, in either grant', async () => {
    expect((await ask({ realm: world.connection })).statusCode).toBe(200);
    expect((await ask({ grant_type: 'password', realm: world.connection })).statusCode).toBe(200);
  });

  it.each<[string, string | undefined, string]>([
    ['missing', undefined, 'Missing required parameter: realm'],
    ['unknown', 'nowhere', 'the connection was not found'],
    ['that of the administrators', 'gatewright-admins', 'the connection is not enabled for the client'],
  ])('is refused where it is %s', async (_what, realm, error_description) => {
    const response = await ask({ realm });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({ error: 'invalid_request', error_description });
  });

  it('that is not enabled for the client is refused before the password is looked at', async () => {
    const client = await createTestClient(world, { grant_types: ['password'] }, { mayLogIn: false });
    const response = await passwordGrant(world, { ...client });
    expect(response.json()).toEqual({
      error: 'invalid_request',
      error_description: 'the connection is not enabled for the client',
    });
  });

  it('knows a blocked user by the right password alone', async () => {
    await world.api().patch(`/users/${user.id}`, { blocked: true });
    const [right, wrong] = [
      await asUser(undefined),
      await passwordGrant(world, { username: user.email, password: 'x' }),
    ];
    await world.api().patch(`/users/${user.id}`, { blocked: false });
    expect([right.statusCode, right.json()]).toEqual([
      403,
      { error: 'unauthorized', error_description: 'user is blocked' },
    ]);
    expect([wrong.statusCode, wrong.json()]).toEqual([
      403,
      { error: 'invalid_grant', error_description: 'Wrong email or password.' },
    ]);
  });
});
