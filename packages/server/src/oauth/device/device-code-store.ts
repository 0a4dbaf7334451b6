import type { Generated } from 'kysely';
import { violatedConstraint } from '../../db/constraint.ts';
import type { Database } from '../../db/database.ts';
import { GRANT_COLUMNS, grantFromRow, type TokenGrant } from '../tokens/token-grant-store.ts';
import type { DeviceCode } from './device-code.ts';

declare module '../../db/database.ts' {
  interface Tables {
    device_codes: DeviceCodeTable;
  }
}

interface DeviceCodeTable {
  tenant_id: string;
  device_code_hash: string;
  user_code_hash: string;
  client_id: string;
  audience: string | null;
  scope: string;
  status: Generated<DeviceCode['status']>;
  refusal: string | null;
  grant_id: string | null;
  poll_interval: number;
  polled_at: Date | null;
  expiry_told: Generated<boolean>;
  created_at: Generated<Date>;
  expires_at: Date;
}

export type NewDeviceCode = Pick<
  DeviceCode,
  'deviceCodeHash' | 'clientId' | 'audience' | 'scope' | 'interval' | 'expiresAt'
> & { readonly userCodeHash: string };

export type DeviceCodeStore = ReturnType<typeof createDeviceCodeStore>;

const COLUMNS = [
  'device_code_hash',
  'client_id',
  'audience',
  'scope',
  'status',
  'refusal',
  'poll_interval',
  'polled_at',
  'expires_at',
] as const;

export function createDeviceCodeStore(db: Database) {
  const rowsOf = (tenantId: string) => db.selectFrom('device_codes').select(COLUMNS).where('tenant_id', '=', tenantId);
  async function findGrant(tenantId: string, grantId: string): Promise<TokenGrant | undefined> {
    const row = await db
      .selectFrom('token_grants as grant')
      .select(GRANT_COLUMNS)
      .where('grant.tenant_id', '=', tenantId)
      .where('grant.grant_id', '=', grantId)
      .executeTakeFirst();
    return row && grantFromRow(row);
  }

  const change = (tenantId: string, deviceCodeHash: string) =>
    db.updateTable('device_codes').where('tenant_id', '=', tenantId).where('device_code_hash', '=', deviceCodeHash);

  return {
    /** False where another device waits under the same user code. */
    async insert(tenantId: string, code: NewDeviceCode): Promise<boolean> {
      try {
        await db
          .insertInto('device_codes')
          .values({
            tenant_id: tenantId,
            device_code_hash: code.deviceCodeHash,
            user_code_hash: code.userCodeHash,
            client_id: code.clientId,
            audience: code.audience ?? null,
            scope: code.scope,
            refusal: null,
            grant_id: null,
            poll_interval: code.interval,
            polled_at: null,
            expires_at: code.expiresAt,
          })
          .execute();
        return true;
      } catch (cause) {
        if (violatedConstraint(cause) === 'device_codes_user_code_taken') return false;
        throw cause;
      }
    },

    /** The device that waits under a user code. */
    async findWaiting(tenantId: string, userCodeHash: string, now: Date): Promise<DeviceCode | undefined> {
      const rows = rowsOf(tenantId).where('user_code_hash', '=', userCodeHash);
      const row = await rows.where('status', '=', 'pending').where('expires_at', '>', now).executeTakeFirst();
      return row && fromRow(row);
    },

    async findPending(tenantId: string, deviceCodeHash: string, now: Date): Promise<DeviceCode | undefined> {
      const rows = rowsOf(tenantId).where('device_code_hash', '=', deviceCodeHash);
      const row = await rows.where('status', '=', 'pending').where('expires_at', '>', now).executeTakeFirst();
      return row && fromRow(row);
    },

    /** The code of a poll, locked until the transaction ends: polls that come at once are counted one by one. */
    async lock(tenantId: string, deviceCodeHash: string): Promise<DeviceCode | undefined> {
      const rows = rowsOf(tenantId).select('grant_id').where('device_code_hash', '=', deviceCodeHash);
      const row = await rows.forUpdate().executeTakeFirst();
      return (
        row && { ...fromRow(row), grant: row.grant_id === null ? undefined : await findGrant(tenantId, row.grant_id) }
      );
    },

    async notePoll(tenantId: string, deviceCodeHash: string, now: Date): Promise<void> {
      await change(tenantId, deviceCodeHash).set({ polled_at: now }).execute();
    },

    async slowDown(tenantId: string, deviceCodeHash: string, interval: number): Promise<void> {
      await change(tenantId, deviceCodeHash).set({ poll_interval: interval }).execute();
    },

    /** True once: the device is told that its time is over, and then that there is no such code. */
    async tellExpiry(tenantId: string, deviceCodeHash: string): Promise<boolean> {
      const untold = change(tenantId, deviceCodeHash).where('expiry_told', '=', false);
      return (await untold.set({ expiry_told: true }).executeTakeFirst()).numUpdatedRows > 0n;
    },

    /** Lets the device in. False where it does not wait any more. */
    async authorize(tenantId: string, deviceCodeHash: string, grantId: string, now: Date): Promise<boolean> {
      const waiting = change(tenantId, deviceCodeHash).where('status', '=', 'pending').where('expires_at', '>', now);
      return (await waiting.set({ status: 'authorized', grant_id: grantId }).executeTakeFirst()).numUpdatedRows > 0n;
    },

    /** Turns the device away: by its user, or for a reason that its next poll learns. */
    async deny(tenantId: string, deviceCodeHash: string, refusal?: string): Promise<boolean> {
      const waiting = change(tenantId, deviceCodeHash).where('status', '=', 'pending');
      const denied = { status: 'denied', refusal: refusal ?? null } as const;
      return (await waiting.set(denied).executeTakeFirst()).numUpdatedRows > 0n;
    },

    /** Redeems a code. Of parallel callers, in however many processes, one gets true. */
    async redeem(tenantId: string, deviceCodeHash: string): Promise<boolean> {
      const result = await db
        .deleteFrom('device_codes')
        .where('tenant_id', '=', tenantId)
        .where('device_code_hash', '=', deviceCodeHash)
        .where('status', '=', 'authorized')
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

type Row = Pick<
  DeviceCodeTable,
  'device_code_hash' | 'client_id' | 'audience' | 'scope' | 'refusal' | 'poll_interval' | 'polled_at'
> & {
  readonly status: DeviceCode['status'];
  readonly expires_at: Date;
};

function fromRow(row: Row): DeviceCode {
  return {
    deviceCodeHash: row.device_code_hash,
    clientId: row.client_id,
    audience: row.audience ?? undefined,
    scope: row.scope,
    status: row.status,
    refusal: row.refusal ?? undefined,
    grant: undefined,
    interval: row.poll_interval,
    polledAt: row.polled_at ?? undefined,
    expiresAt: row.expires_at,
  };
}
