import { requireStored } from '../stored-modules.ts';

type Connected = (error: unknown, client?: unknown, done?: (error?: unknown) => void) => void;

interface Pg {
  readonly Pool: new (options: object) => { connect(connected: Connected): void; end(): Promise<void> };
}

let made: object | undefined;

/**
 * pg 8 with the `connect(address, callback)` that it lost in version 7: the documented templates call it, and older
 * versions can't log in to a server that asks for SCRAM, as PostgreSQL does by default.
 */
export function pg(): object {
  made ??= withConnect(requireStored('pg') as Pg);
  return made;
}

function withConnect(module: Pg): object {
  const pools = new Map<string, InstanceType<Pg['Pool']>>();
  const poolOf = (address: unknown) => {
    const key = JSON.stringify(address ?? null);
    const known = pools.get(key);
    if (known) return known;
    const pool = new module.Pool(
      typeof address === 'string' ? { connectionString: address, max: 10 } : { max: 10, ...Object(address) },
    );
    // A connection that breaks while nobody uses it must not end the container.
    Object(pool).on('error', () => undefined);
    pools.set(key, pool);
    return pool;
  };
  return Object.assign(Object.create(module), {
    connect(...given: unknown[]) {
      const connected = given.find((one): one is Connected => typeof one === 'function');
      if (!connected) throw new TypeError('pg.connect takes an address and a callback.');
      poolOf(typeof given[0] === 'function' ? undefined : given[0]).connect(connected);
    },
    end() {
      for (const pool of pools.values()) void pool.end();
      pools.clear();
    },
  });
}
