import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestStores, dev, type TestStores } from '../../test/test-stores.ts';
import { createClient } from '../clients/create-client.ts';
import { deleteClient } from '../clients/update-client.ts';
import type { Json } from '../kit/json-values.ts';
import { createResourceServer, updateResourceServer } from '../resource-servers/manage-resource-servers.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { grantedScopes } from './client-grant.ts';
import { createClientGrantDirectory } from './client-grant-directory.ts';
import { createClientGrant, updateClientGrant } from './manage-client-grants.ts';

const AUDIENCE = 'https://orders.example.com';

let db: TestStores;
beforeAll(async () => {
  db = await createTestStores();
  const scopes = [{ value: 'read' }, { value: 'write' }, { value: 'delete' }];
  await createResourceServer(db.stores, 'dev', { identifier: AUDIENCE, scopes });
});
afterAll(() => db.drop());

const newClient = () => createClient(db.stores, dev, { name: 'Backend', app_type: 'non_interactive' });
const grant = (clientId: string, body: Json = {}) =>
  db.transact((inside) =>
    createClientGrant(inside, 'dev', { client_id: clientId, audience: AUDIENCE, scope: ['read'], ...body }, AUDIENCE),
  );
const patch = (id: string, body: Json) => db.transact((inside) => updateClientGrant(inside, 'dev', id, body));
async function apiOf() {
  const api = await db.stores.resourceServers.findByIdentifier('dev', AUDIENCE);
  if (!api) throw new Error('no API');
  return api;
}

describe('a client grant', () => {
  it('gives a client some scopes of an API', async () => {
    const { clientId } = await newClient();
    const made = await grant(clientId, { scope: ['read', 'write', 'read'] });
    expect(made).toMatchObject({ clientId, audience: AUDIENCE, scopes: ['read', 'write'], subjectType: 'client' });
    expect(made.id).toMatch(/^cgr_[A-Za-z0-9]{16}$/);
    expect(await patch(made.id, { scope: ['delete'], organization_usage: 'allow' })).toMatchObject({
      scopes: ['delete'],
      organizationUsage: 'allow',
    });
    expect(await patch(made.id, { organization_usage: null })).toMatchObject({ organizationUsage: 'deny' });
  });

  it('is one for each client, API and kind of subject, also when many ask at once', async () => {
    const { clientId } = await newClient();
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => grant(clientId)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(grant(clientId)).rejects.toMatchObject({
      status: 409,
      message: `A client grant already exists between ${clientId} and ${AUDIENCE}`,
    });
    await expect(grant(clientId, { subject_type: 'user' })).resolves.toMatchObject({ subjectType: 'user' });
  });

  it.each<[string, Json, number]>([
    ['an unknown client', { client_id: 'nobody' }, 404],
    ['no client', { client_id: null }, 400],
    ['a scope that the API lacks', { scope: ['admin'] }, 400],
    ['all scopes and some', { scope: ['read'], allow_all_scopes: true }, 400],
    ['anonymous users', { subject_type: 'anonymous_user' }, 400],
    ['a default for third parties', { default_for: 'third_party_clients' }, 400],
  ])('is refused for %s', async (_what, body, status) => {
    const { clientId } = await newClient();
    await expect(grant(clientId, body)).rejects.toMatchObject({ status });
  });

  it('is refused for an API that is not there', async () => {
    const { clientId } = await newClient();
    const made = createClientGrant(db.stores, 'dev', { client_id: clientId, audience: 'x' }, 'x');
    await expect(made).rejects.toMatchObject({ status: 404, message: 'No resource with identifier x' });
  });

  it('gives no scope that the API has lost, and with allow_all_scopes those that it gains', async () => {
    const one = await grant((await newClient()).clientId, { scope: ['read', 'delete'] });
    const all = await grant((await newClient()).clientId, { scope: [], allow_all_scopes: true });
    await updateResourceServer(db.stores, 'dev', AUDIENCE, { scopes: [{ value: 'read' }, { value: 'new' }] });
    expect(grantedScopes(one, await apiOf())).toEqual(['read']);
    expect(grantedScopes(all, await apiOf())).toEqual(['read', 'new']);
    expect(await patch(one.id, { allow_any_organization: true })).toMatchObject({ scopes: ['read', 'delete'] });
    expect(await patch(one.id, { allow_all_scopes: true })).toMatchObject({ scopes: [], allowAllScopes: true });
  });

  it('ends with its client', async () => {
    const { clientId } = await newClient();
    const made = await grant(clientId);
    await db.transact((inside) => deleteClient(inside, 'dev', clientId));
    expect(await db.stores.clientGrants.find('dev', made.id)).toBeUndefined();
  });
});

describe('the list of client grants', () => {
  it('is filtered by client, audience, subject and organizations', async () => {
    const { clientId } = await newClient();
    const machine = await grant(clientId);
    const user = await grant(clientId, { subject_type: 'user', allow_any_organization: true });
    const ids = async (filter: object) =>
      (await db.stores.clientGrants.page('dev', { clientId, ...filter }, 0, 50)).map(({ grant: { id } }) => id);
    expect(await ids({})).toEqual([machine.id, user.id]);
    expect(await ids({ audience: AUDIENCE })).toHaveLength(2);
    expect(await ids({ audience: 'other' })).toEqual([]);
    expect(await ids({ subjectType: 'user' })).toEqual([user.id]);
    expect(await ids({ allowAnyOrganization: false })).toEqual([machine.id]);
    expect(await db.stores.clientGrants.count('dev', { clientId })).toBe(2);
    const [first] = await db.stores.clientGrants.after('dev', { clientId }, undefined, 1);
    const rest = await db.stores.clientGrants.after('dev', { clientId }, first?.position, 5);
    expect(rest.map(({ grant: { id } }) => id)).toEqual([user.id]);
  });
});

describe('the grant directory', () => {
  it('finds the grant of a client for an API, by kind of subject', async () => {
    const { clientId } = await newClient();
    const made = await grant(clientId);
    const cache = createTenantCache({ isCurrent: () => true });
    const directory = createClientGrantDirectory({ cache, clientGrants: db.stores.clientGrants });
    expect(await directory.find('dev', clientId, made.resourceServerId)).toEqual(made);
    expect(await directory.find('dev', clientId, made.resourceServerId, 'user')).toBeUndefined();
    expect(await directory.find('acme', clientId, made.resourceServerId)).toBeUndefined();
  });
});
