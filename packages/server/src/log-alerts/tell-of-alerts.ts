import type { Mail } from '../email/mail.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type Alert, toWire } from './alert.ts';
import type { ComposeAlertMail } from './alert-mail.ts';
import type { AlertSettings } from './alert-settings.ts';
import type { AlertSettingsStore } from './alert-settings-store.ts';
import type { NoticeStore } from './notice-store.ts';

/** What is known of a tenant before the transaction, in which nothing may wait for the pool. */
export interface PreparedTelling {
  readonly tenant: Tenant | undefined;
  readonly settings: AlertSettings;
}

export interface TellOfAlerts<Stores> {
  prepare(tenantId: string): Promise<PreparedTelling>;
  /** In the transaction that opens or resolves them: one message for all that one look found. */
  send(stores: Stores, prepared: PreparedTelling, alerts: readonly Alert[]): Promise<void>;
}

interface Needs {
  readonly alertNotices: Pick<NoticeStore, 'insert'>;
  readonly mails: { insert(tenantId: string, mail: Mail): Promise<void> };
}

interface Parts {
  readonly settings: Pick<AlertSettingsStore, 'find'>;
  readonly findTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly composeMail: ComposeAlertMail;
  readonly now: () => Date;
}

export function createTellOfAlerts<Stores extends Needs>(parts: Parts): TellOfAlerts<Stores> {
  const { settings, findTenant, composeMail, now } = parts;
  return {
    async prepare(tenantId) {
      const [tenant, found] = await Promise.all([findTenant(tenantId), settings.find(tenantId)]);
      return { tenant, settings: found };
    },

    async send({ alertNotices, mails }, { tenant, settings: { webhook, isWebhookLost, mailTo } }, alerts) {
      if (!tenant) return;
      const opened = alerts.filter(({ status }) => status === 'open');
      const resolved = alerts.filter(({ status }) => status === 'resolved');
      // What can't be sent becomes an event when it is tried.
      if (webhook || isWebhookLost) {
        await alertNotices.insert(
          tenant.tenantId,
          {
            type: 'gatewright.alerts',
            tenant: tenant.tenantId,
            at: now().toISOString(),
            opened: opened.map(toWire),
            resolved: resolved.map(toWire),
          },
          now(),
        );
      }
      for (const to of mailTo) await mails.insert(tenant.tenantId, composeMail(tenant, to, { opened, resolved }));
    },
  };
}
