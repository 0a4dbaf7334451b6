import type pg from 'pg';

type Connection = Pick<pg.ClientBase, 'query'>;

/**
 * Begins an epoch where the database was restored into another cluster: its xids began anew there, and without a new epoch
 * new events would stand before old ones. A promoted standby begins one too, since xids that were lost are used again.
 */
export async function beginEpochInNewCluster(connection: pg.PoolClient): Promise<void> {
  const here = await clusterId(connection);
  if (here === undefined) return;
  const { rows } = await connection.query<{ cluster_id: string | null }>('select cluster_id from log_epoch');
  const before = rows[0]?.cluster_id;
  if (before === here) return;
  if (before === null) await connection.query('update log_epoch set cluster_id = $1', [here]);
  else await beginEpoch(connection, here);
}

/** Changing the default waits for every writer: events of the old epoch are committed before the new one begins. */
export async function beginEpoch(connection: pg.PoolClient, cluster: string | undefined): Promise<void> {
  await connection.query('begin');
  try {
    await connection.query('lock table log_events in access exclusive mode');
    const { rows } = await connection.query<{ epoch: number }>(
      'update log_epoch set epoch = epoch + 1, cluster_id = coalesce($1, cluster_id), began_at = now() returning epoch',
      [cluster],
    );
    await connection.query(`alter table log_events alter column epoch set default ${Number(rows[0]?.epoch)}`);
    await connection.query('commit');
  } catch (cause) {
    await connection.query('rollback').catch(() => {});
    throw cause;
  }
}

/** In the transaction of a restore: the epoch of all that comes from now on, in this cluster. */
export async function beginEpochAt(connection: Connection, epoch: number, cluster: string | undefined): Promise<void> {
  await connection.query('update log_epoch set epoch = $1, cluster_id = $2, began_at = now()', [
    epoch,
    cluster ?? null,
  ]);
  await connection.query(`alter table log_events alter column epoch set default ${Number(epoch)}`);
}

/** Undefined where the operator's PostgreSQL does not tell. */
export async function clusterId(connection: Connection): Promise<string | undefined> {
  try {
    const { rows } = await connection.query<{ id: string }>(
      `select (select system_identifier from pg_control_system()) || '/' || (select timeline_id from pg_control_checkpoint()) ||
        '/' || (select oid from pg_database where datname = current_database()) as id`,
    );
    return rows[0]?.id;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === '42501') return undefined;
    throw cause;
  }
}
