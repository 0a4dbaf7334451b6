import { sql } from 'kysely';
import { violatedConstraint } from '../../db/constraint.ts';
import type { Database } from '../../db/database.ts';
import { defineErrors } from '../../kit/errors.ts';
import { living } from './refresh-token-list-store.ts';

declare module '../../db/database.ts' {
  interface Tables {
    device_credentials: DeviceCredentialTable;
  }
}

interface DeviceCredentialTable {
  tenant_id: string;
  credential_id: string;
  user_id: string;
  client_id: string;
  device_id: string;
  device_name: string;
  value: string;
  created_at: Date;
}

/** A public key that a device registered, or a refresh token that it holds. */
export interface DeviceCredential {
  readonly id: string;
  readonly type: string;
  readonly userId: string;
  readonly clientId: string;
  readonly deviceName: string;
  /** Of public keys. */
  readonly deviceId: string | undefined;
}

export interface NewDeviceKey extends Omit<DeviceCredential, 'type' | 'deviceId'> {
  readonly deviceId: string;
  readonly value: string;
}

export interface DeviceCredentialFilter {
  readonly id?: string | undefined;
  readonly userId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly type?: string | undefined;
}

export const deviceCredentialErrors = defineErrors({
  deviceTaken: { status: 409, code: 'device_credential_exists', message: 'The device has a credential already.' },
  tooMany: { status: 403, code: 'too_many_device_credentials', message: 'A user has at most 100 public keys.' },
  unknownClient: { status: 400, code: 'inexistent_client', message: 'The client does not exist' },
});

const MOST_KEYS = 100;

export type DeviceCredentialStore = ReturnType<typeof createDeviceCredentialStore>;

export function createDeviceCredentialStore(db: Database) {
  return {
    async page(
      tenantId: string,
      filter: DeviceCredentialFilter,
      now: Date,
      offset: number,
      limit: number,
    ): Promise<DeviceCredential[]> {
      const { rows } = await sql<Row>`select * from ${credentials(tenantId, filter, now)}
        order by id offset ${offset} limit ${limit}`.execute(db);
      return rows.map(fromRow);
    },

    async count(tenantId: string, filter: DeviceCredentialFilter, now: Date): Promise<number> {
      const { rows } = await sql<{ total: string }>`
        select count(*) as total from ${credentials(tenantId, filter, now)}`.execute(db);
      return Number(rows[0]?.total ?? 0);
    },

    /** The user is locked: keys are theirs to register, so their number is bounded, however many come at once. */
    async insertKey(tenantId: string, key: NewDeviceKey): Promise<void> {
      await sql`select from users where tenant_id = ${tenantId} and user_id = ${key.userId} for no key update`.execute(
        db,
      );
      const { rows } = await sql<{ total: string }>`select count(*) as total from device_credentials
        where tenant_id = ${tenantId} and user_id = ${key.userId}`.execute(db);
      if (Number(rows[0]?.total) >= MOST_KEYS) throw deviceCredentialErrors.tooMany();
      try {
        await sql`insert into device_credentials (tenant_id, credential_id, user_id, client_id, device_id, device_name, value)
          values (${tenantId}, ${key.id}, ${key.userId}, ${key.clientId}, ${key.deviceId}, ${key.deviceName}, ${key.value})`.execute(
          db,
        );
      } catch (cause) {
        if (violatedConstraint(cause) === 'device_credentials_device_taken')
          throw deviceCredentialErrors.deviceTaken({}, { cause });
        if (violatedConstraint(cause) === 'device_credentials_tenant_id_client_id_fkey')
          throw deviceCredentialErrors.unknownClient({}, { cause });
        throw cause;
      }
    },

    async removeKey(tenantId: string, id: string): Promise<void> {
      await sql`delete from device_credentials where tenant_id = ${tenantId} and credential_id = ${id}`.execute(db);
    },
  };
}

function credentials(tenantId: string, { id, userId, clientId, type }: DeviceCredentialFilter, now: Date) {
  return sql`(
      select credential_id as id, 'public_key' as type, user_id, client_id, device_name, device_id
      from device_credentials where tenant_id = ${tenantId}
      union all
      select token.token_id, case when token.rotating then 'rotating_refresh_token' else 'refresh_token' end,
        "grant".user_id, "grant".client_id, coalesce(token.device->>'initial_user_agent', ''), null
      from ${living(tenantId, { userId, clientId, ...(id !== undefined && { tokenIds: [id] }) }, now)}
    ) credential
    where true ${id === undefined ? sql`` : sql`and id = ${id}`} ${type === undefined ? sql`` : sql`and type = ${type}`}
      ${userId === undefined ? sql`` : sql`and user_id = ${userId}`}
      ${clientId === undefined ? sql`` : sql`and client_id = ${clientId}`}`;
}

interface Row {
  id: string;
  type: string;
  user_id: string;
  client_id: string;
  device_name: string;
  device_id: string | null;
}

function fromRow(row: Row): DeviceCredential {
  return {
    id: row.id,
    type: row.type,
    userId: row.user_id,
    clientId: row.client_id,
    deviceName: row.device_name,
    deviceId: row.device_id ?? undefined,
  };
}
