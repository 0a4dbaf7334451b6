import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Identity } from './user.ts';

type Key = Pick<Identity, 'provider' | 'userId' | 'connectionId'>;

export type PasswordStore = ReturnType<typeof createPasswordStore>;

/** The passwords of identities: the present one and, where a connection asks for it, former ones. */
export function createPasswordStore(db: Database) {
  async function reset(
    tenantId: string,
    identity: Identity,
    changingUntil: RawBuilder<unknown>,
    reported: Date | undefined,
  ): Promise<void> {
    await sql`
      with changed as (
        update user_identities set password_hash = null, changing_until = ${changingUntil}
        where ${isIdentity(tenantId, identity)} returning tenant_id, user_id
      )
      update users u set last_password_reset = now(), reported_password_reset = ${reported ?? null}::timestamptz, updated_at = now()
      from changed c where u.tenant_id = c.tenant_id and u.user_id = c.user_id`.execute(db);
  }

  return {
    /** Sets a new password and its date, and keeps `formerHashes` of those before it, in one statement. */
    async set(tenantId: string, identity: Identity, passwordHash: string, formerHashes: number): Promise<boolean> {
      const result = await sql<{ user_id: string }>`
        with before as (
          select password_hash from user_identities where ${isIdentity(tenantId, identity)} for no key update
        ), kept as (
          insert into password_history (tenant_id, provider, identity_user_id, connection_id, password_hash)
          select ${tenantId}, ${identity.provider}, ${identity.userId}, ${identity.connectionId}, password_hash
          from before where ${formerHashes} > 0 and password_hash is not null
        ), forgotten as (
          delete from password_history where ${isIdentity(tenantId, identity)} and seq not in (
            select seq from password_history where ${isIdentity(tenantId, identity)}
            order by seq desc limit ${Math.max(0, formerHashes - 1)})
        ), changed as (
          update user_identities set password_hash = ${passwordHash}
          where ${isIdentity(tenantId, identity)} and exists (select 1 from before) returning tenant_id, user_id
        )
        update users u set last_password_reset = now(), reported_password_reset = null, updated_at = now() from changed c
        where u.tenant_id = c.tenant_id and u.user_id = c.user_id returning u.user_id`.execute(db);
      return result.rows.length > 0;
    },

    /** For a user who was known without a password. False where there is one by now: that one stays. */
    async setFirst(tenantId: string, identity: Identity, passwordHash: string): Promise<boolean> {
      const result = await sql`
        update user_identities set password_hash = ${passwordHash}
        where ${isIdentity(tenantId, identity)} and password_hash is null`.execute(db);
      return result.numAffectedRows === 1n;
    },

    /**
     * A script is about to change the password elsewhere, and may have done so when nobody is left to hear of it: until
     * `recordReset`, or until the time is over, `keptElsewhere` says so to whoever logs in.
     */
    async beginChange(tenantId: string, identity: Identity, seconds: number): Promise<void> {
      await reset(tenantId, identity, sql`clock_timestamp() + make_interval(secs => ${seconds})`, undefined);
    },

    /**
     * The password is another one, and kept elsewhere: what was issued before to whoever has the identity counts no more,
     * nor does a password of here, from before its directory became a custom database.
     */
    async recordReset(tenantId: string, identity: Identity, reported?: Date): Promise<void> {
      await reset(tenantId, identity, sql`null`, reported);
    },

    /** For a user who has logged in with a password that is kept elsewhere. Answers until when that may be changing. */
    async keptElsewhere(tenantId: string, identity: Identity): Promise<Date | undefined> {
      const { rows } = await sql<{ changing_until: Date | null }>`
        with forgotten as (
          update user_identities set password_hash = null
          where ${isIdentity(tenantId, identity)} and password_hash is not null
        )
        select changing_until from user_identities where ${isIdentity(tenantId, identity)}`.execute(db);
      return rows[0]?.changing_until ?? undefined;
    },

    /** What a script says of the time of the main identity's password. */
    async setReported(tenantId: string, identity: Key, reported: Date): Promise<void> {
      await sql`
        update users u set reported_password_reset = ${reported}::timestamptz
        where u.tenant_id = ${tenantId} and u.reported_password_reset is distinct from ${reported}::timestamptz
          and u.user_id = (
            select i.user_id from user_identities i where ${isIdentity(tenantId, identity)} and not exists (
              select from user_identities main where main.tenant_id = i.tenant_id and main.user_id = i.user_id
                and main.position < i.position))`.execute(db);
    },

    /** For a directory that was a custom database: nobody knows which of its passwords are still their owners'. */
    async forgetOfConnection(tenantId: string, connectionId: string): Promise<void> {
      await sql`
        update user_identities set password_hash = null
        where tenant_id = ${tenantId} and connection_id = ${connectionId} and password_hash is not null`.execute(db);
    },

    /** By the clock that dates new passwords. */
    async clock(): Promise<Date> {
      const { rows } = await sql<{ time: Date }>`select clock_timestamp() as time`.execute(db);
      const [row] = rows;
      if (!row) throw new Error('The database has no time.');
      return row.time;
    },

    /** The present hash and former ones, newest first, at most `limit`. */
    async hashes(tenantId: string, identity: Identity, limit: number): Promise<string[]> {
      if (limit <= 0) return [];
      const { rows } = await sql<{ password_hash: string }>`
        select password_hash from (
          select password_hash, null::bigint as seq from user_identities
          where ${isIdentity(tenantId, identity)} and password_hash is not null
          union all
          select password_hash, seq from password_history where ${isIdentity(tenantId, identity)}
        ) had order by seq desc nulls first limit ${limit}`.execute(db);
      return rows.map((row) => row.password_hash);
    },

    /** Stores a better hash of the same password, only while the verified one is still there: a change in between wins. */
    async replaceHash(tenantId: string, identity: Identity, verified: string, better: string): Promise<boolean> {
      const result = await sql`
        update user_identities set password_hash = ${better}
        where ${isIdentity(tenantId, identity)} and password_hash = ${verified}`.execute(db);
      return result.numAffectedRows === 1n;
    },
  };
}

function isIdentity(tenantId: string, { provider, userId, connectionId }: Key) {
  return sql<boolean>`tenant_id = ${tenantId} and provider = ${provider} and identity_user_id = ${userId}
    and connection_id = ${connectionId}`;
}
