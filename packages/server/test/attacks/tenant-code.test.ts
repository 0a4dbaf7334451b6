import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { action, setActions } from '../actions/actions.ts';
import { eventsOf, passwordGrant } from '../protocol.ts';
import { rule, setRules } from '../rules/rules.ts';
import { startWorld, type World } from '../world.ts';

const THROW = 'function (user, context, callback) { throw new Error("closed"); }';

let world: World;
beforeAll(async () => {
  world = await startWorld({ containerLimits: { jobsPerPool: 2, queuePerPool: 0 } });
});
beforeEach(() => setRules(world, []));
afterAll(() => world.stop());

describe('the administrator of the installation', () => {
  it('is neither shut out nor seen by rules and actions of a tenant', async () => {
    // As the dashboard will be: no API opens this connection to an application.
    await world.database.pool.query(
      `insert into connection_clients (tenant_id, connection_id, client_id)
        select tenant_id, id, $1 from connections where tenant_id = 'dev' and name = 'gatewright-admins'`,
      [world.password_client.client_id],
    );
    world.app.forget('dev');
    await setRules(world, [THROW]);
    await setActions(world, 'post-login', [action('onExecutePostLogin', `api.access.deny('closed');`)]);
    const admin = {
      grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
      realm: 'gatewright-admins',
      username: world.admin.email,
      password: world.admin.password,
    };
    expect((await passwordGrant(world, admin)).statusCode).toBe(200);
    expect((await passwordGrant(world)).statusCode).toBe(403);
    await setActions(world, 'post-login', []);
    expect(world.app.containers.stats().running).toBe(0);
  });
});

describe('what rules make of a profile', () => {
  it('is bounded like claims: a login does not store a megabyte', async () => {
    await setRules(world, [rule(`user.name = 'x'.repeat(200000);`)]);
    const response = await passwordGrant(world, { scope: 'openid profile' });
    expect([response.statusCode, response.json().error_description]).toEqual([
      403,
      'The login could not be completed: its claims are too large',
    ]);
  });
});

describe('a rule that redirects where no browser is', () => {
  it('leaves the parameters of its address out of the log', async () => {
    await setRules(world, [
      rule(`context.redirect = { url: 'https://example.com/ask?proof=hidden-value#hidden-value' };`),
    ]);
    const events = await eventsOf(world, async () => {
      expect((await passwordGrant(world)).json().error).toBe('interaction_required');
    });
    expect(JSON.stringify(events)).toContain('https://example.com/ask');
    expect(JSON.stringify(events)).not.toContain('hidden-value');
  });
});

describe('an action that decides who may use the Management API', () => {
  it('is not passed by sending more requests at once than it has places', async () => {
    const manage = await world.managementToken();
    await setActions(world, 'credentials-exchange', [
      action(
        'onExecuteCredentialsExchange',
        `await new Promise((resolve) => setTimeout(resolve, 300)); api.access.deny('invalid_request', 'Not from here.');`,
      ),
    ]);
    const { client_id, client_secret } = world.management;
    const asked = { grant_type: 'client_credentials', client_id, client_secret, audience: world.managementAudience };
    const responses = await Promise.all(Array.from({ length: 12 }, () => world.token(asked)));
    expect(responses.filter(({ statusCode }) => statusCode === 200)).toHaveLength(0);
    expect(responses.map((response) => response.json().error)).toContain('server_error');
    await world.request({
      method: 'PATCH',
      path: '/api/v2/actions/triggers/credentials-exchange/bindings',
      headers: { authorization: `Bearer ${manage}` },
      json: { bindings: [] },
    });
    expect((await world.token(asked)).statusCode).toBe(200);
  });
});
