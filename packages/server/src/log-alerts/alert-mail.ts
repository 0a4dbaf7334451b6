import type { Mail } from '../email/mail.ts';
import { headerText, mailAddress, namedAddress } from '../email/mail-headers.ts';
import { createMailRenderer } from '../email/mail-renderer.ts';
import { prefixedId } from '../kit/ids.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';
import type { Alert } from './alert.ts';

interface News {
  readonly opened: readonly Alert[];
  readonly resolved: readonly Alert[];
}

export type ComposeAlertMail = (tenant: Tenant, to: string, news: News) => Mail;

interface Parts {
  readonly canonicalOrigin: (tenant: Tenant) => string;
  readonly now: () => Date;
}

const MOST_LISTED = 20;

/** One mail for all that one look found. It is for those who run the tenant: in English, without the tenant's look. */
export function createAlertMailComposer({ canonicalOrigin, now }: Parts): ComposeAlertMail {
  const render = createMailRenderer('alert');

  return (tenant, to, { opened, resolved }) => {
    const origin = canonicalOrigin(tenant);
    const all = [
      ...opened.map((alert) => ({ word: 'Opened', alert })),
      ...resolved.map((alert) => ({ word: 'Resolved', alert })),
    ];
    const subject = headerText(`${titleOf(opened, resolved)}: ${tenant.tenantId}`);
    const content = render({
      subject,
      tenant: settingsOf(tenant).friendlyName,
      to,
      url: `${origin}/api/v2/gatewright/alerts/{id}`,
      alerts: all.slice(0, MOST_LISTED).map(({ word, alert }) => ({ word, rule: alert.rule, ...alert.facts })),
      more: all.length > MOST_LISTED ? `… and ${all.length - MOST_LISTED} more.` : null,
    });
    return {
      mailId: prefixedId('mail'),
      template: 'log_alert',
      to: mailAddress(to),
      from: namedAddress('Gatewright', `no-reply@${hostOf(origin)}`),
      subject,
      language: 'en',
      ...content,
      userId: undefined,
      createdAt: now(),
    };
  };
}

function titleOf(opened: readonly Alert[], resolved: readonly Alert[]): string {
  const count = (alerts: readonly Alert[]) => `${alerts.length} ${alerts.length === 1 ? 'alert' : 'alerts'}`;
  if (opened.length === 0) return `${count(resolved)} resolved`;
  return resolved.length === 0 ? count(opened) : `${count(opened)}, ${resolved.length} resolved`;
}

function hostOf(origin: string): string {
  const { hostname } = new URL(origin);
  return /^[a-z0-9.-]+$/.test(hostname) ? hostname : 'localhost';
}
