import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestStores, type TestStores } from '../../test/test-stores.ts';
import type { Action } from './action.ts';
import { foresee } from './build-action.ts';
import { createDeployAction } from './deploy-action.ts';
import { createPublishModule } from './modules/publish-module.ts';

const TENANT = 'dev';
const CODE = 'exports.onExecutePostLogin = (;';
const NOT_BUILT = { code: 'action_build_failed' };
const time = new Date();
const now = () => time;
const findModule = async () => undefined;

let world: TestStores;
beforeAll(async () => {
  world = await createTestStores();
});
afterAll(() => world.drop());

/** Code may be made so that looking at it takes long: who does it under the tenant's lock keeps others waiting, each with a connection. */
describe('code is looked at before the lock of the tenant is taken', () => {
  let isLocked = false;
  const checkSyntax = async () => {
    if (isLocked) throw new Error('asked while the lock is held');
    return { message: 'Unexpected token', place: { line: 1, column: 1, source: CODE, mark: 0 } };
  };
  const deploy = createDeployAction({ findModule, checkSyntax, now });
  const publish = createPublishModule({ findModule, now });
  const locked = <Result>(work: (stores: TestStores['stores']) => Promise<Result>): Promise<Result> =>
    world.transact(async (stores) => {
      await stores.actions.lock(TENANT);
      isLocked = true;
      return work(stores).finally(() => {
        isLocked = false;
      });
    });
  const source = { code: CODE, runtime: 'node22', triggers: [], dependencies: [], modules: [] };
  const action: Action = {
    id: '00000000-0000-4000-8000-000000000001',
    name: 'Slow',
    source,
    secrets: [],
    isChanged: true,
    deployedVersionId: undefined,
    codeFault: undefined,
    createdAt: time,
    updatedAt: time,
  };

  it('of a draft', async () => {
    const foreseen = await deploy.foresee(TENANT, action);
    await expect(locked((stores) => deploy.draft(stores, TENANT, action, foreseen))).rejects.toMatchObject(NOT_BUILT);
  });

  it('of a version', async () => {
    const version = { id: 'v', actionId: action.id, number: 1, source, secrets: [], createdAt: time };
    const foreseen = await deploy.foresee(TENANT, version);
    await expect(
      locked((stores) => deploy.version(stores, TENANT, action, version, true, foreseen)),
    ).rejects.toMatchObject(NOT_BUILT);
  });

  it("of a module of the tenant's own", async () => {
    const module = { ...action, source: { code: CODE, dependencies: [] } };
    const foreseen = await foresee(checkSyntax, TENANT, CODE, 'library');
    await expect(locked((stores) => publish(stores, TENANT, module, foreseen))).rejects.toThrow('Unexpected token');
  });

  it('of a draft that is another by then: what was found when it was stored', async () => {
    const foreseen = await deploy.foresee(TENANT, { source: { ...source, code: 'x = 1;' } });
    await locked(async (stores) => {
      await stores.actions.insert(TENANT, action);
      const { version } = await deploy.draft(stores, TENANT, action, foreseen);
      expect(version.source.code).toBe(CODE);
    });
  });
});
