import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../../test/containers/harness.ts';
import { startWorld, type World } from '../../test/world.ts';
import { egressCommands } from './egress-commands.ts';

describe('gatewright egress', () => {
  let world: World;
  let verbs: ReturnType<typeof egressCommands>;
  beforeAll(async () => {
    world = await startWorld();
    verbs = egressCommands({ stores: world.app.stores, forget: world.app.forget, defaultMode: 'deny-private' });
  });
  afterAll(() => world.stop());
  const ask = (verb: string, input: Record<string, unknown>) => {
    const found = verbs[verb];
    if (!found) throw new Error(verb);
    return found({ tenant: 'dev', ...input });
  };

  it('shows the default where nothing was said', async () => {
    expect(await ask('egress-show', {})).toEqual({
      tenant: 'dev',
      mode: 'deny-private',
      is_default_mode: true,
      hosts: [],
      intranet: [],
    });
  });

  it('allows targets once, several at the same time too, and takes them away', async () => {
    const targets = ['a.test:1', 'b.test:2', '[fd12::5]:5432', 'a.test:1'];
    await Promise.all(targets.map((target) => ask('egress-allow', { target, intranet: true })));
    const { intranet } = Object(await ask('egress-show', {}));
    expect(intranet.toSorted()).toEqual(['[fd12::5]:5432', 'a.test:1', 'b.test:2']);
    await ask('egress-allow', { target: 'a.test:1' });
    expect(await ask('egress-remove', { target: 'a.test:1' })).toMatchObject({ hosts: [] });
  });

  it.each([
    'example.com',
    'example.com:0',
    'example.com:65536',
    'http://a:1',
    'A.test:1',
    'a,b:1',
    '-a:1',
    'a b:1',
    '',
  ])('refuses the target %j', (target) =>
    expect(ask('egress-allow', { target })).rejects.toMatchObject({ code: 'invalid_target' }),
  );

  it.each(['127.0.0.1:5432', '10.0.0.5:5432', 'localhost:80'])(
    'refuses %s without --intranet, where it would open nothing',
    async (target) => {
      await expect(ask('egress-allow', { target })).rejects.toMatchObject({ code: 'private_target' });
      expect(await ask('egress-show', {})).toMatchObject({ hosts: [] });
    },
  );

  it('refuses unknown modes and tenants', async () => {
    await expect(ask('egress-mode', { mode: 'open' })).rejects.toMatchObject({ code: 'invalid_mode' });
    await expect(ask('egress-show', { tenant: 'nobody' })).rejects.toMatchObject({ code: 'inexistent_tenant' });
  });

  it('counts for the next execution, also where a container is running', async () => {
    const allowed = async () => {
      const outcome = await world.app.containers.execute(
        probe(`return (await Deno.permissions.query({ name: 'net', host: 'example.com:443' })).state`),
      );
      return outcome.ok && Object(outcome.result).user.out;
    };
    expect(await allowed()).toBe('granted');
    await ask('egress-mode', { mode: 'allowlist' });
    expect(await allowed()).not.toBe('granted');
    await ask('egress-allow', { target: 'example.com:443' });
    expect(await allowed()).toBe('granted');
    await ask('egress-mode', { mode: 'default' });
  });
});
