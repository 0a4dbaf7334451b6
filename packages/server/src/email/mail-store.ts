import { type Generated, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import type { Sealer } from '../kit/seal.ts';
import type { Mail, MailRecord, MailStatus, MailTemplate } from './mail.ts';

declare module '../db/database.ts' {
  interface Tables {
    mails: MailTable;
  }
}

interface MailTable {
  tenant_id: string;
  mail_id: string;
  seq: Generated<string>;
  template: MailTemplate;
  recipient: string;
  sender: string;
  subject: string;
  language: string;
  content: Buffer;
  user_id: string | null;
  status: MailStatus;
  status_at: Date;
  attempts: Generated<number>;
  error: string | null;
  created_at: Date;
  expires_at: Date;
}

export type MailStore = ReturnType<typeof createMailStore>;

/** Mails are kept as long as someone may ask where one is. */
const KEPT_MILLISECONDS = 30 * 86_400_000;
const COLUMNS = [
  'mail_id',
  'template',
  'recipient',
  'sender',
  'subject',
  'language',
  'user_id',
  'status',
  'status_at',
  'attempts',
  'error',
  'created_at',
] as const;

export function createMailStore(db: Database, sealer: Sealer) {
  return {
    /**
     * Stores a mail, only while its ticket is there: written for a user who is gone, blocked or made up, it is not kept,
     * and the statement is the same for all of them (attack L1).
     */
    async insertWithTicket(tenantId: string, mail: Mail, ticketHash: string): Promise<boolean> {
      const content = sealer.seal(JSON.stringify({ html: mail.html, text: mail.text }), place(tenantId, mail.mailId));
      const expiresAt = new Date(mail.createdAt.getTime() + KEPT_MILLISECONDS);
      const result = await sql`
        insert into mails (tenant_id, mail_id, template, recipient, sender, subject, language, content, user_id, status,
          status_at, created_at, expires_at)
        select ${tenantId}, ${mail.mailId}, ${mail.template}, ${mail.to}, ${mail.from}, ${mail.subject}, ${mail.language},
          ${content}, ${mail.userId ?? null}, 'stored', ${mail.createdAt}::timestamptz, ${mail.createdAt}::timestamptz,
          ${expiresAt}::timestamptz
        where exists (select 1 from tickets where tenant_id = ${tenantId} and ticket_hash = ${ticketHash})`.execute(db);
      return result.numAffectedRows === 1n;
    },

    /** With the change that causes it. */
    async insert(tenantId: string, mail: Mail): Promise<void> {
      const content = sealer.seal(JSON.stringify({ html: mail.html, text: mail.text }), place(tenantId, mail.mailId));
      await db
        .insertInto('mails')
        .values({
          tenant_id: tenantId,
          mail_id: mail.mailId,
          template: mail.template,
          recipient: mail.to,
          sender: mail.from,
          subject: mail.subject,
          language: mail.language,
          content,
          user_id: mail.userId ?? null,
          status: 'stored',
          status_at: mail.createdAt,
          created_at: mail.createdAt,
          expires_at: new Date(mail.createdAt.getTime() + KEPT_MILLISECONDS),
        })
        .execute();
    },

    /** Newest first. */
    async list(tenantId: string, limit: number): Promise<MailRecord[]> {
      const rows = await db
        .selectFrom('mails')
        .select(COLUMNS)
        .where('tenant_id', '=', tenantId)
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute();
      return rows.map(fromRow);
    },

    async find(tenantId: string, mailId: string): Promise<(Mail & MailRecord) | undefined> {
      const row = await db
        .selectFrom('mails')
        .select([...COLUMNS, 'content'])
        .where('tenant_id', '=', tenantId)
        .where('mail_id', '=', mailId)
        .executeTakeFirst();
      if (!row) return undefined;
      const { html, text } = JSON.parse(sealer.open(row.content, place(tenantId, mailId)).toString());
      return { ...fromRow(row), html: String(html), text: String(text) };
    },
  };
}

function place(tenantId: string, mailId: string): string {
  return `mail ${tenantId} ${mailId}`;
}

function fromRow(
  row: Pick<MailTable, Exclude<(typeof COLUMNS)[number], 'attempts'>> & { attempts: number },
): MailRecord {
  return {
    mailId: row.mail_id,
    template: row.template,
    to: row.recipient,
    from: row.sender,
    subject: row.subject,
    language: row.language,
    userId: row.user_id ?? undefined,
    status: row.status,
    statusAt: row.status_at,
    attempts: row.attempts,
    error: row.error ?? undefined,
    createdAt: row.created_at,
  };
}
