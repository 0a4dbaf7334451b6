import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';

declare module '../db/database.ts' {
  interface Tables {
    log_alert_settings: LogAlertSettingsTable;
  }
}

interface LogAlertSettingsTable {
  tenant_id: string;
  webhook_url: string | null;
  webhook_format: 'json' | 'slack';
  signing_secret: Buffer | null;
  mail_to: string[];
  updated_at: Date;
}

/** Who is told of alerts. */
export interface AlertSettings {
  readonly webhook: { readonly url: string; readonly format: 'json' | 'slack' } | undefined;
  readonly mailTo: readonly string[];
}

export const NOBODY: AlertSettings = { webhook: undefined, mailTo: [] };

export type AlertSettingsStore = ReturnType<typeof createAlertSettingsStore>;

export function createAlertSettingsStore(db: Database, sealer: Sealer) {
  const ofTenant = (tenantId: string) => db.selectFrom('log_alert_settings').where('tenant_id', '=', tenantId);

  return {
    async find(tenantId: string): Promise<AlertSettings> {
      const row = await ofTenant(tenantId).selectAll().executeTakeFirst();
      if (!row) return NOBODY;
      const { webhook_url: url, webhook_format: format, mail_to: mailTo } = row;
      return { webhook: url === null ? undefined : { url, format }, mailTo };
    },

    /** Undefined where there is none, or where the key that sealed it is lost. */
    async signingSecret(tenantId: string): Promise<string | undefined> {
      const row = await ofTenant(tenantId).select('signing_secret').executeTakeFirst();
      return row?.signing_secret ? sealer.open(row.signing_secret, place(tenantId)).toString() : undefined;
    },

    /** Without a new secret the old one stays, as long as there is a webhook. */
    async save(tenantId: string, settings: AlertSettings, newSecret: string | undefined, now: Date): Promise<void> {
      const { webhook, mailTo } = settings;
      const row = {
        webhook_url: webhook?.url ?? null,
        webhook_format: webhook?.format ?? ('json' as const),
        mail_to: [...mailTo],
        updated_at: now,
      };
      const secret =
        newSecret !== undefined
          ? { signing_secret: sealer.seal(newSecret, place(tenantId)) }
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

function place(tenantId: string): string {
  return `log alerts ${tenantId}`;
}
