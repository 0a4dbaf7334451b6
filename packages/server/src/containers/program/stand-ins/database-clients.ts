import { requireStored } from '../stored-modules.ts';
import { pg } from './pg.ts';

// The globals of early database scripts: each a short way to a client.

type Made = Record<string, unknown>;

/** `mongo(url, function (db) { … })`, and the types that queries need. */
export function mongo(): object {
  const module = requireStored('mongodb', '2.2.36') as Made & {
    MongoClient: { connect(url: string, connected: (error: unknown, db: unknown) => void): void };
  };
  const open = (url: string, use: (db: unknown) => void) =>
    module.MongoClient.connect(url, (error, db) => {
      // Its callback takes no error: the job fails with it.
      if (error) throw error;
      use(db);
    });
  const { ObjectID, Long, Double, Timestamp, Binary, Code, MongoClient } = module;
  return Object.assign(open, { ObjectID, Long, Double, Timestamp, Binary, Code, MongoClient, BSON: module });
}

/** `mysql({ host, user, password, database })`: a connection. */
export function mysql(): object {
  const module = requireStored('mysql') as Made & { createConnection(options: unknown): unknown };
  return Object.assign((options: unknown) => module.createConnection(options), { ...module });
}

export function mysqlPool(): object {
  const module = requireStored('mysql') as { createPool(options: unknown): unknown };
  return (options: unknown) => module.createPool(options);
}

/** `postgres('postgres://…', function (err, client, done) { … })`. */
export function postgres(): object {
  const module = pg() as { connect(...given: unknown[]): void };
  return Object.assign((...given: unknown[]) => module.connect(...given), { connect: module.connect });
}

/** `sqlserver.connect(…)`, `new sqlserver.Request(…)`, `sqlserver.Types.VarChar`. */
export function sqlserver(): object {
  const { Connection, Request, TYPES } = requireStored('tedious') as Made & {
    Connection: new (options: unknown) => object;
  };
  return { connect: (options: unknown) => new Connection(options), Connection, Request, Types: TYPES, TYPES };
}
