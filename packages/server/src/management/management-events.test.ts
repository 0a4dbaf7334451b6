import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMachinery, type Machinery } from '../../test/management-machinery.ts';

let world: Machinery;

beforeAll(async () => {
  world = await createMachinery((management) => {
    management.route('POST /roles', async (call) =>
      call.commit(async () => {
        if (call.body.name === 'breaks') throw new Error('broken');
        return { id: 'rol_1', ...call.body };
      }),
    );
    management.route('GET /resource-servers/{id}', async (call) => ({ id: call.params.id }));
    management.route('GET /clients/{id}', async (call) => {
      call.accessedSecrets(['client_secret']);
      return { client_id: call.params.id, client_secret: 's' };
    });
  });
});
afterAll(() => world.app.close());

describe('what is written down', () => {
  it('records a change with what was asked and answered', async () => {
    world.events.length = 0;
    await world.call('create:roles', { method: 'POST', url: '/api/v2/roles', payload: { name: 'editor' } });
    expect(world.events).toMatchObject([
      {
        type: 'managementChanged',
        description: 'Create a role',
        clientId: 'client1',
        ip: '203.0.113.7',
        details: {
          request: {
            method: 'post',
            path: '/api/v2/roles',
            body: { name: 'editor' },
            auth: { user: {}, strategy: 'jwt', credentials: { jti: 'token1', scopes: ['create:roles'] } },
          },
          response: { statusCode: 200, body: { id: 'rol_1', name: 'editor' } },
        },
      },
    ]);
  });

  it('records a read that returns a secret, without the secret, and no other read', async () => {
    world.events.length = 0;
    await world.call('read:resource_servers', { method: 'GET', url: '/api/v2/resource-servers/a' });
    await world.call('read:clients', { method: 'GET', url: '/api/v2/clients/abc' });
    expect(world.events).toMatchObject([
      { type: 'managementSecretRead', description: 'Get a client', details: { accessedSecrets: ['client_secret'] } },
    ]);
    expect(JSON.stringify(world.events)).not.toContain('"client_secret":"s"');
  });

  it('records nothing of a refused change', async () => {
    world.events.length = 0;
    await world.call('create:roles', { method: 'POST', url: '/api/v2/roles', payload: { name: 1 } });
    await world.call('create:roles', { method: 'POST', url: '/api/v2/roles', payload: { name: 'breaks' } });
    expect(world.events).toEqual([]);
  });
});
