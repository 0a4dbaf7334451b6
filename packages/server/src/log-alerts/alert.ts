import { defineErrors } from '../kit/errors.ts';

/** What is looked for; docs/log.md says how much of it alarms. */
export type AlertRule =
  | 'rate-limit'
  | 'failures-of-address'
  | 'failures-of-user'
  | 'error-ratio'
  | 'log-gap'
  | 'export-behind';

/** What a look at the counts found, of one rule and one subject. */
export interface Finding {
  readonly tenantId: string;
  readonly rule: AlertRule;
  /** An address, a user, an application; '' is the tenant as a whole, '*' all those beyond the most that are told apart. */
  readonly subject: string;
  readonly facts: AlertFacts;
}

/** What an operator needs to know; `summary` says it in a sentence. */
export interface AlertFacts {
  readonly summary: string;
  readonly suggestion: string;
  readonly count: number;
  readonly since?: string;
  readonly types?: readonly string[];
  readonly clients?: readonly string[];
  readonly rule_name?: string;
  readonly ratio?: number;
  readonly ratio_last_week?: number;
}

export interface Alert extends Omit<Finding, 'tenantId'> {
  readonly alertId: string;
  readonly status: 'open' | 'resolved';
  readonly openedAt: Date;
  readonly lastSeenAt: Date;
  readonly resolvedAt: Date | undefined;
  readonly mutedUntil: Date | undefined;
}

export const alertErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_alert', message: 'The alert does not exist.' },
  badWebhook: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'It is no address that alerts can be sent to: https, or http in a development tenant' on property webhook.url.",
  },
  maskedWebhook: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'It is an address as answers show it, and not that of the webhook which is stored: give the whole address' on property webhook.url.",
  },
  badAddress: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: '{address}' is no e-mail address on property mail_to.",
  },
});

/** As it goes over the wire, to the API's callers and to webhooks. */
export function toWire(alert: Alert) {
  return {
    id: alert.alertId,
    rule: alert.rule,
    subject: alert.subject,
    status: alert.status,
    ...alert.facts,
    opened_at: alert.openedAt.toISOString(),
    last_seen_at: alert.lastSeenAt.toISOString(),
    ...(alert.resolvedAt && { resolved_at: alert.resolvedAt.toISOString() }),
    ...(alert.mutedUntil && { muted_until: alert.mutedUntil.toISOString() }),
  };
}
