import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { action, setActions } from '../../test/actions/actions.ts';
import { passwordGrant } from '../../test/protocol.ts';
import { startWorld, type World } from '../../test/world.ts';
import { createTenantCache } from '../tenants/tenant-cache.ts';
import { createDeployedActions } from './deployed-actions.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const DENY = action('onExecutePostLogin', `api.access.deny('closed');`);

/** The actions at post-login, where `meanwhile` happens between reading them and reading their versions. */
async function readWhile(meanwhile: () => Promise<unknown>) {
  const { stores } = world.app;
  const actionVersions = {
    findAll: async (tenantId: string, ids: readonly string[]) => {
      await meanwhile();
      return stores.actionVersions.findAll(tenantId, ids);
    },
  };
  const cache = createTenantCache({ isCurrent: () => false });
  return createDeployedActions({ cache, stores: { ...stores, actionVersions } }).atTrigger('dev', 'post-login');
}

/** What deploying often enough does: the version is gone, and another one is deployed. */
const replaceVersion = () =>
  world.database.pool.query(
    `with moved as (update action_versions set id = id || '-next' returning id, action_id)
      update actions set deployed_version_id = moved.id from moved where actions.id = moved.action_id`,
  );

describe('an action that is bound, and whose version is not found', () => {
  it('is read once more where it was deployed anew between two statements', async () => {
    await setActions(world, 'post-login', [DENY]);
    let changes = 0;
    const found = await readWhile(async () => {
      if (changes++ === 0) await replaceVersion();
    });
    expect(found).toMatchObject([{ code: expect.stringContaining('closed') }]);
  });

  it('is not skipped where it stays away: reading fails, and what failed is not kept', async () => {
    await setActions(world, 'post-login', [DENY]);
    await expect(readWhile(replaceVersion)).rejects.toThrow('bound at post-login');
    expect(await readWhile(async () => {})).toHaveLength(1);
  });

  it('lets nobody log in who would not pass it', async () => {
    await setActions(world, 'post-login', [DENY]);
    await world.database.pool.query(`update actions set deployed_version_id = 'not-there'`);
    world.app.forget('dev');
    expect((await passwordGrant(world)).statusCode).toBe(500);
    await setActions(world, 'post-login', []);
    expect((await passwordGrant(world)).statusCode).toBe(200);
  });
});
