import type { ClientStore } from '../clients/client-store.ts';
import { type Database, queryRows } from '../db/database.ts';
import type { SigningKeyService } from '../keys/signing-key-service.ts';
import type { SigningKeyStore } from '../keys/signing-key-store.ts';
import { randomAlphanumeric } from '../kit/ids.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { ResourceServerStore } from '../resource-servers/resource-server-store.ts';
import { SEALED_COLUMNS } from './sealed-columns.ts';

interface Stores {
  readonly signingKeys: SigningKeyStore;
  readonly clients: ClientStore;
  readonly resourceServers: ResourceServerStore;
  readonly record: RecordEvent;
}

interface Parts {
  /** In one transaction, and with the stores that seal with the new key. */
  readonly db: Database;
  readonly stores: Stores;
  readonly signingKeys: SigningKeyService;
  readonly baseDomain: string;
  readonly now: () => Date;
}

/** What a tenant has instead of what nobody can open any more; secrets in clear, this once. */
export interface ResetTenant {
  readonly tenant: string;
  readonly clients: readonly { readonly client_id: string; readonly name: string; readonly client_secret: string }[];
  readonly apis: readonly { readonly identifier: string; readonly signing_secret: string }[];
  /** Values that nobody can make again, by column. */
  readonly lost: Readonly<Record<string, number>>;
}

/**
 * For an installation whose key is lost. Passwords, sessions and refresh tokens are hashes: they go on. What was sealed is
 * made anew or emptied. Signing keys retire and keep verifying, since they were lost and not stolen: tokens live out.
 */
export async function resetKeys({ db, stores, signingKeys, baseDomain, now }: Parts): Promise<ResetTenant[]> {
  const tenants = await queryRows<{ tenant_id: string; is_default: boolean }>(
    db,
    'select tenant_id, is_default from tenants order by tenant_id',
  );
  const lost = await emptyColumns(db);
  const reset: ResetTenant[] = [];
  for (const { tenant_id: tenantId, is_default } of tenants) {
    const keys = await signingKeys.makeFirstKeys(is_default ? 'localhost' : `${tenantId}.${baseDomain}`);
    await stores.signingKeys.retireAll(tenantId, now());
    await signingKeys.createFirstKeys(stores, tenantId, keys);
    const clients = [];
    for (const { clientId, name } of await stores.clients.listSealed(tenantId)) {
      const secret = randomAlphanumeric(64);
      await stores.clients.replaceSecret(tenantId, clientId, secret);
      clients.push({ client_id: clientId, name, client_secret: secret });
    }
    const apis = [];
    for (const { id, identifier } of await stores.resourceServers.listSealed(tenantId)) {
      const secret = randomAlphanumeric(32);
      await stores.resourceServers.replaceSigningSecret(tenantId, id, secret);
      apis.push({ identifier, signing_secret: secret });
    }
    await stores.record(tenantId, {
      type: 'managementChanged',
      description: 'Replace keys and secrets whose encryption key is lost',
      details: { request: { method: 'POST', channel: 'cli' } },
    });
    reset.push({ tenant: tenantId, clients, apis, lost: lost.get(tenantId) ?? {} });
  }
  return reset;
}

async function emptyColumns(db: Database): Promise<Map<string, Record<string, number>>> {
  const lost = new Map<string, Record<string, number>>();
  for (const [column, fate] of Object.entries(SEALED_COLUMNS)) {
    const [table = '', name = ''] = column.split('.');
    if (fate === 'replaced') continue;
    const statement =
      fate === 'emptied'
        ? `update ${table} set ${name} = null where ${name} is not null returning tenant_id`
        : `delete from ${table} returning tenant_id`;
    const rows = await queryRows<{ tenant_id: string }>(db, statement);
    if (fate !== 'made again when needed')
      for (const { tenant_id } of rows) {
        const ofTenant = lost.get(tenant_id) ?? {};
        lost.set(tenant_id, { ...ofTenant, [column]: (ofTenant[column] ?? 0) + 1 });
      }
  }
  return lost;
}
