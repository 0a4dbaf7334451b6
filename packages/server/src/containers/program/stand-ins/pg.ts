import { inThisRun } from '../in-this-run.ts';
import { requireStored } from '../stored-modules.ts';

type Connected = (error: unknown, client?: unknown, done?: (error?: unknown) => void) => void;

interface Pg {
  readonly Pool: new (options: object) => { connect(connected: Connected): void; end(): Promise<void> };
  readonly Client: new (options: object) => { query(...given: unknown[]): unknown };
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
  /** A connection outlives the job that made it: what it calls back belongs to the job that asks. */
  class Client extends module.Client {
    override query(...given: unknown[]): unknown {
      return super.query(...given.map(ofThisJob));
    }
  }
  const pools = new Map<string, InstanceType<Pg['Pool']>>();
  const poolOf = (address: unknown) => {
    const key = JSON.stringify(address ?? null);
    const known = pools.get(key);
    if (known) return known;
    const options = typeof address === 'string' ? { connectionString: address } : Object(address);
    const pool = new module.Pool({ max: 10, ...options, Client });
    // A connection that breaks while nobody uses it must not end the container.
    Object(pool).on('error', () => undefined);
    pools.set(key, pool);
    return pool;
  };
  return Object.assign(Object.create(module), {
    connect(...given: unknown[]) {
      const connected = given.find((one): one is Connected => typeof one === 'function');
      if (!connected) throw new TypeError('pg.connect takes an address and a callback.');
      poolOf(typeof given[0] === 'function' ? undefined : given[0]).connect(
        inThisRun((error, client, done) => Reflect.apply(connected, undefined, [error, client, done])),
      );
    },
    end() {
      for (const pool of pools.values()) void pool.end();
      pools.clear();
    },
  });
}

function ofThisJob(given: unknown): unknown {
  return typeof given === 'function' ? inThisRun((...items) => Reflect.apply(given, undefined, items)) : given;
}
