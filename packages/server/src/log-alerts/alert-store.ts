import { type Selectable, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { prefixedId } from '../kit/ids.ts';
import type { Alert, AlertFacts, AlertRule, Finding } from './alert.ts';

declare module '../db/database.ts' {
  interface Tables {
    log_alerts: LogAlertTable;
  }
}

interface LogAlertTable {
  tenant_id: string;
  alert_id: string;
  seq: string;
  rule: AlertRule;
  subject: string;
  status: Alert['status'];
  facts: AlertFacts;
  opened_at: Date;
  last_seen_at: Date;
  resolved_at: Date | null;
  quiet: number;
  muted_until: Date | null;
  expires_at: Date;
}

export type AlertStore = ReturnType<typeof createAlertStore>;

const KEPT_MILLISECONDS = 90 * 86_400_000;

export function createAlertStore(db: Database) {
  const ofTenant = (tenantId: string) => db.selectFrom('log_alerts').selectAll().where('tenant_id', '=', tenantId);

  return {
    /** Opens an alert, or notes that the open one goes on; the alert where it is new. */
    async fire({ tenantId, rule, subject, facts }: Finding, now: Date): Promise<Alert | undefined> {
      const expiresAt = new Date(now.getTime() + KEPT_MILLISECONDS);
      const { rows } = await sql<Selectable<LogAlertTable> & { is_new: boolean }>`
        insert into log_alerts (tenant_id, alert_id, rule, subject, status, facts, opened_at, last_seen_at, muted_until, expires_at)
        values (${tenantId}, ${prefixedId('alr')}, ${rule}, ${subject}, 'open', ${JSON.stringify(facts)}::jsonb, ${now}, ${now},
          (select max(muted_until) from log_alerts m where m.tenant_id = ${tenantId} and m.rule = ${rule}
            and m.subject = ${subject} and m.muted_until > ${now}), ${expiresAt})
        on conflict (tenant_id, rule, subject) where status = 'open' do update set last_seen_at = excluded.last_seen_at,
          facts = excluded.facts || jsonb_build_object('since', log_alerts.facts -> 'since',
            'count', greatest((excluded.facts ->> 'count')::int, (log_alerts.facts ->> 'count')::int)),
          quiet = 0, expires_at = excluded.expires_at
        returning *, xmax = 0 as is_new`.execute(db);
      const [row] = rows;
      return row?.is_new ? fromRow(row) : undefined;
    },

    /** Open ones, of all tenants: what a look compares with. */
    async open(): Promise<(Pick<Finding, 'tenantId' | 'rule' | 'subject'> & { readonly alertId: string })[]> {
      return db
        .selectFrom('log_alerts')
        .select(['tenant_id as tenantId', 'alert_id as alertId', 'rule', 'subject'])
        .where('status', '=', 'open')
        .execute();
    },

    /** Found quiet once more; the alert where that was often enough. */
    async quieten(tenantId: string, alertId: string, enough: number, now: Date): Promise<Alert | undefined> {
      const row = await db
        .updateTable('log_alerts')
        .set({
          quiet: sql`quiet + 1`,
          status: sql`case when quiet + 1 >= ${enough} then 'resolved' else status end`,
          resolved_at: sql`case when quiet + 1 >= ${enough} then ${now}::timestamptz end`,
        })
        .where('tenant_id', '=', tenantId)
        .where('alert_id', '=', alertId)
        .where('status', '=', 'open')
        .returningAll()
        .executeTakeFirst();
      return row?.status === 'resolved' ? fromRow(row) : undefined;
    },

    /** Still loud enough to stay open. */
    async linger(tenantId: string, alertId: string): Promise<void> {
      await db
        .updateTable('log_alerts')
        .set({ quiet: 0 })
        .where('tenant_id', '=', tenantId)
        .where('alert_id', '=', alertId)
        .where('quiet', '>', 0)
        .execute();
    },

    /** Newest first. */
    async list(tenantId: string, status: Alert['status'] | undefined, offset: number, limit: number): Promise<Alert[]> {
      let query = ofTenant(tenantId).orderBy('seq', 'desc').offset(offset).limit(limit);
      if (status) query = query.where('status', '=', status);
      return (await query.execute()).map(fromRow);
    },

    async count(tenantId: string, status: Alert['status'] | undefined): Promise<number> {
      let query = db
        .selectFrom('log_alerts')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .where('tenant_id', '=', tenantId);
      if (status) query = query.where('status', '=', status);
      return Number((await query.executeTakeFirstOrThrow()).count);
    },

    async find(tenantId: string, alertId: string): Promise<Alert | undefined> {
      const row = await ofTenant(tenantId).where('alert_id', '=', alertId).executeTakeFirst();
      return row && fromRow(row);
    },

    /** For this rule and subject, this alert and those to come. */
    async mute(tenantId: string, alertId: string, until: Date | null): Promise<Alert | undefined> {
      const row = await db
        .updateTable('log_alerts')
        .set({ muted_until: until })
        .where('tenant_id', '=', tenantId)
        .where('alert_id', '=', alertId)
        .returningAll()
        .executeTakeFirst();
      if (!row) return undefined;
      // An earlier one of the same kind must not keep it muted.
      await db
        .updateTable('log_alerts')
        .set({ muted_until: until })
        .where('tenant_id', '=', tenantId)
        .where('rule', '=', row.rule)
        .where('subject', '=', row.subject)
        .where('muted_until', 'is not', null)
        .execute();
      return fromRow(row);
    },
  };
}

function fromRow(row: Selectable<LogAlertTable>): Alert {
  return {
    alertId: row.alert_id,
    rule: row.rule,
    subject: row.subject,
    facts: row.facts,
    status: row.status,
    openedAt: row.opened_at,
    lastSeenAt: row.last_seen_at,
    resolvedAt: row.resolved_at ?? undefined,
    mutedUntil: row.muted_until ?? undefined,
  };
}
