import type { LogType } from './log-types.ts';

/** Who asked, as an event tells it; taken from the request once, by http/requester.ts. */
export interface Requester {
  /** The end user's address: the peer's, or what a trusted proxy says. */
  readonly ip: string;
  /** The peer's address, whatever it claims. */
  readonly clientIp: string;
  readonly userAgent: string;
  /** Host (and port) that the request named; registered for its tenant. */
  readonly hostname: string;
  /** The decoded Auth0-Client header. */
  readonly auth0Client?: Readonly<Record<string, unknown>>;
}

/** One entry of the audit log: log-record section 2 in our words. What is unknown is left out. */
export interface AuditEvent extends Partial<Requester> {
  readonly type: LogType;
  /** Empty for most successes; the text that the client saw for failures. */
  readonly description?: string;
  readonly clientId?: string;
  readonly clientName?: string;
  readonly connection?: string;
  readonly connectionId?: string;
  readonly strategy?: string;
  readonly strategyType?: string;
  readonly userId?: string;
  readonly userName?: string;
  /** Id at the identity provider, without its prefix. */
  readonly identityUserId?: string;
  readonly audience?: string;
  readonly scope?: string;
  readonly sessionConnection?: string;
  readonly sessionConnectionId?: string;
  readonly organizationId?: string;
  readonly organizationName?: string;
  /** Depends on the type (log-record section 3). Secrets in it are masked when it is written. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Writes an event with the transaction at hand, or (recordAlone) durably by itself before it resolves. */
export type RecordEvent = (tenantId: string, event: AuditEvent) => Promise<void>;
