import type { ControlVerbs } from '../control/control-server.ts';
import { tenantErrors } from '../tenants/tenant.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import { type MailRecord, mailErrors } from './mail.ts';
import type { MailStore } from './mail-store.ts';

interface Needs {
  readonly tenants: Pick<TenantStore, 'directory'>;
  readonly mails: Pick<MailStore, 'list' | 'find'>;
}

const MOST_LISTED = 1_000;

/** `gatewright mails`, as the running server carries it out. */
export function mailCommands({ tenants, mails }: Needs): ControlVerbs {
  /** The default tenant where none is named. */
  async function tenantOf(name: unknown): Promise<string> {
    const { tenantIds, defaultTenantId } = await tenants.directory();
    const tenantId = name === undefined ? defaultTenantId : String(name);
    if (tenantId === undefined || !tenantIds.has(tenantId))
      throw tenantErrors.unknownTenant({ name: tenantId ?? 'default' });
    return tenantId;
  }

  return {
    async 'mails-list'({ tenant, limit }) {
      const tenantId = await tenantOf(tenant);
      const count = Math.min(MOST_LISTED, Math.max(1, Number(limit) || 20));
      return { tenant: tenantId, mails: (await mails.list(tenantId, count)).map(toJson) };
    },

    /** `latest` is the newest one. */
    async 'mails-show'({ tenant, id }) {
      const tenantId = await tenantOf(tenant);
      const mailId = id === 'latest' ? (await mails.list(tenantId, 1))[0]?.mailId : String(id);
      const mail = mailId === undefined ? undefined : await mails.find(tenantId, mailId);
      if (!mail)
        throw id === 'latest' ? mailErrors.noMails({ tenant: tenantId }) : mailErrors.unknownMail({ id: String(id) });
      return { ...toJson(mail), text: mail.text, html: mail.html };
    },
  };
}

function toJson(mail: MailRecord) {
  return {
    id: mail.mailId,
    created_at: mail.createdAt.toISOString(),
    template: mail.template,
    to: mail.to,
    from: mail.from,
    subject: mail.subject,
    language: mail.language,
    status: mail.status,
    ...(mail.userId && { user_id: mail.userId }),
    ...(mail.error && { error: mail.error }),
  };
}
