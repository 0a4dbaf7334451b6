import type { Database } from './database.ts';

/** Runs a piece of work in one transaction, with every store bound to it. */
export type Transact<Stores> = <Result>(work: (stores: Stores) => Promise<Result>) => Promise<Result>;

/** `storesOn` binds the stores to a transaction: the one place where use cases learn of the database. */
export function transactionsOn<Stores>(db: Database, storesOn: (db: Database) => Stores): Transact<Stores> {
  return (work) => db.transaction().execute((transaction) => work(storesOn(transaction)));
}
