import { type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';
import { type AlertSettings, NOBODY } from './alert-settings.ts';

declare module '../db/database.ts' {
  interface Tables {
    log_alert_settings: LogAlertSettingsTable;
  }
}

interface LogAlertSettingsTable {
  tenant_id: string;
  /** As it was written before addresses were sealed; never both. */
  webhook_url: string | null;
  webhook_address: Buffer | null;
  webhook_format: 'json' | 'slack';
  signing_secret: Buffer | null;
  mail_to: string[];
  updated_at: Date;
}

export type AlertSettingsStore = ReturnType<typeof createAlertSettingsStore>;

export function createAlertSettingsStore(db: Database, sealer: Sealer) {
  const ofTenant = (tenantId: string) => db.selectFrom('log_alert_settings').where('tenant_id', '=', tenantId);

  async function find(tenantId: string): Promise<AlertSettings> {
    const row = await ofTenant(tenantId).selectAll().executeTakeFirst();
    if (!row) return NOBODY;
    const { webhook_format: format, mail_to: mailTo } = row;
    try {
      const url = openAddress(tenantId, row);
      if (row.signing_secret) sealer.open(row.signing_secret, secretPlace(tenantId));
      return { webhook: url === undefined ? undefined : { url, format }, isWebhookLost: false, mailTo };
    } catch {
      return { webhook: undefined, isWebhookLost: true, mailTo };
    }
  }

  /** Without a secret there is no webhook: a process of before, which knows no sealed address, takes the secret away with it. */
  function openAddress(tenantId: string, row: Selectable<LogAlertSettingsTable>): string | undefined {
    const { webhook_url: plain, webhook_address: sealed, signing_secret: secret } = row;
    if (plain !== null) return plain;
    return sealed && secret ? sealer.open(sealed, addressPlace(tenantId)).toString() : undefined;
  }

  return {
    find,

    /** As `find`; nobody else changes them until `db`, one transaction, ends. The first settings as well. */
    async lock(tenantId: string): Promise<AlertSettings> {
      await sql`select pg_advisory_xact_lock(hashtext('log_alert_settings'), hashtext(${tenantId}))`.execute(db);
      return find(tenantId);
    },

    /** Undefined where there is none, or where the key that sealed it is lost. */
    async signingSecret(tenantId: string): Promise<string | undefined> {
      const row = await ofTenant(tenantId).select('signing_secret').executeTakeFirst();
      return row?.signing_secret ? sealer.open(row.signing_secret, secretPlace(tenantId)).toString() : undefined;
    },

    /** Without a new secret the old one stays, as long as there is a webhook. */
    async save(
      tenantId: string,
      { webhook, mailTo }: Pick<AlertSettings, 'webhook' | 'mailTo'>,
      newSecret: string | undefined,
      now: Date,
    ): Promise<void> {
      const row = {
        webhook_url: null,
        webhook_address: webhook ? sealer.seal(webhook.url, addressPlace(tenantId)) : null,
        webhook_format: webhook?.format ?? ('json' as const),
        mail_to: [...mailTo],
        updated_at: now,
      };
      const secret =
        newSecret !== undefined
          ? { signing_secret: sealer.seal(newSecret, secretPlace(tenantId)) }
          : webhook === undefined
            ? { signing_secret: null }
            : {};
      await db
        .insertInto('log_alert_settings')
        .values({ tenant_id: tenantId, signing_secret: null, ...row, ...secret })
        .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ ...row, ...secret }))
        .execute();
    },
  };
}

function secretPlace(tenantId: string): string {
  return `log alerts ${tenantId}`;
}

function addressPlace(tenantId: string): string {
  return `log alerts ${tenantId} webhook`;
}
