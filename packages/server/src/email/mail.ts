import { defineErrors } from '../kit/errors.ts';

/** Names of the Management API's email templates, those that have a text here; and what operators are told of (log-alerts). */
export type MailTemplate = 'verify_email' | 'reset_email' | 'log_alert';

/** `stored`: the built-in provider keeps it and sends nothing. The others are for providers that deliver. */
export type MailStatus = 'stored' | 'queued' | 'sent' | 'failed' | 'bounced';

/** A mail, ready to go. */
export interface Mail {
  /** `mail_` and 16 characters. */
  readonly mailId: string;
  readonly template: MailTemplate;
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly language: string;
  readonly html: string;
  readonly text: string;
  readonly userId: string | undefined;
  readonly createdAt: Date;
}

/** A mail without its content, and what became of it. */
export interface MailRecord extends Omit<Mail, 'html' | 'text'> {
  readonly status: MailStatus;
  readonly statusAt: Date;
  readonly attempts: number;
  readonly error: string | undefined;
}

export const mailErrors = defineErrors({
  badAddress: { status: 400, code: 'invalid_email', message: 'A mail can not go to this address.' },
  noMails: { status: 404, code: 'inexistent_mail', message: "The tenant '{tenant}' has no mails yet." },
  unknownMail: { status: 404, code: 'inexistent_mail', message: "There is no mail '{id}'." },
});
