import { digest } from '../kit/digest.ts';
import { randomSecret } from '../kit/ids.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';

/** A browser's login at a tenant; all applications of the tenant share it. */
export interface Session {
  /** The public `sid`: 32 URL-safe characters. It opens nothing. */
  readonly sessionId: string;
  readonly userId: string;
  readonly connectionId: string;
  /** When the user last proved who they are. */
  readonly authenticatedAt: Date;
  /** The login, or the last /authorize that the session answered. */
  readonly lastUsedAt: Date;
  readonly idleExpiresAt: Date;
  readonly expiresAt: Date;
  /** Code of the tenant chose `idleExpiresAt`: until somebody uses the session again, the tenant's own time does not count. */
  readonly isIdleSet: boolean;
  /** Whether the browser keeps the cookie when it is closed: as the tenant wanted it when the session began, or its code later. */
  readonly isPersistent: boolean;
}

/** What code of the tenant wants of a session (`api.session` of actions). JSON: it may have to wait for the user's consent. */
export interface SessionWishes {
  /** ISO texts. */
  readonly expiresAt?: string;
  readonly idleExpiresAt?: string;
  readonly isPersistent?: boolean;
}

/** What a use changes of a session. What code of the tenant has no wish about is left out, and stays as another request may have set it. */
export interface SessionTouch extends Pick<Session, 'idleExpiresAt' | 'isIdleSet' | 'lastUsedAt'> {
  readonly expiresAt?: Date;
  readonly isPersistent?: boolean;
}

export interface NewSession extends Session {
  /** Goes to the browser; stored as a hash. */
  readonly cookie: string;
  readonly methods: readonly AuthenticationMethod[];
}

/** How the user proved who they are. */
export interface AuthenticationMethod {
  readonly name: string;
  readonly timestamp: string;
  readonly type?: string;
}

/** Why a session ends, in the words of a client's `backchannel_logout_initiators`. */
export type LogoutInitiator =
  | 'rp-logout'
  | 'idp-logout'
  | 'password-changed'
  | 'session-expired'
  | 'session-revoked'
  | 'account-deleted'
  | 'email-identifier-changed'
  | 'mfa-phone-unenrolled'
  | 'account-deactivated';

/** A new login: login/open-session.ts says where it goes on under the id of the session before. */
export function startSession(tenant: Tenant, userId: string, connectionId: string, now: Date): NewSession {
  const isPersistent = settingsOf(tenant).isSessionCookiePersistent;
  const { absolute, idle } = lifetimes(tenant, { isPersistent });
  const expiresAt = new Date(now.getTime() + absolute);
  return {
    sessionId: randomSecret(24),
    cookie: randomSecret(),
    userId,
    connectionId,
    authenticatedAt: now,
    lastUsedAt: now,
    expiresAt,
    idleExpiresAt: earlier(expiresAt, new Date(now.getTime() + idle)),
    isIdleSet: false,
    isPersistent,
    methods: [{ name: 'pwd', timestamp: now.toISOString() }],
  };
}

/** What becomes of a session that is used: as its tenant lets it last, and as the tenant's code wants it within that. */
export function touched(tenant: Tenant, session: Session, now: Date, wishes: SessionWishes = {}): SessionTouch {
  const { isPersistent = session.isPersistent } = wishes;
  const { absolute, idle } = lifetimes(tenant, { isPersistent });
  const latest = new Date(session.authenticatedAt.getTime() + absolute);
  const isOtherKind = isPersistent !== session.isPersistent;
  const wished = wishes.expiresAt === undefined ? undefined : earlier(new Date(wishes.expiresAt), latest);
  const expiresAt = wished ?? (isOtherKind ? latest : undefined);
  const isIdleSet = wishes.idleExpiresAt !== undefined;
  const granted = isOtherKind ? idle : Math.min(grantedIdle(session), idle);
  const idleExpiresAt = isIdleSet ? new Date(wishes.idleExpiresAt) : new Date(now.getTime() + granted);
  return {
    idleExpiresAt: earlier(expiresAt ?? session.expiresAt, idleExpiresAt),
    isIdleSet,
    lastUsedAt: now,
    ...(expiresAt && { expiresAt }),
    ...(isOtherKind && { isPersistent }),
  };
}

/** Shorter settings of the tenant count at once, longer ones for new sessions. */
function grantedIdle({ lastUsedAt, idleExpiresAt, expiresAt, isIdleSet }: Session): number {
  // One that ends with the session itself was cut, and one that code chose is good once: what was granted is not known.
  return idleExpiresAt < expiresAt && !isIdleSet ? idleExpiresAt.getTime() - lastUsedAt.getTime() : Infinity;
}

export function isAlive(session: Session, tenant: Tenant, now: Date): boolean {
  const { authenticatedAt, lastUsedAt, idleExpiresAt, expiresAt, isIdleSet } = session;
  const { absolute, idle } = lifetimes(tenant, session);
  const isWithin = (start: Date, length: number) => now.getTime() < start.getTime() + length;
  return (
    now < idleExpiresAt &&
    now < expiresAt &&
    isWithin(authenticatedAt, absolute) &&
    (isIdleSet || isWithin(lastUsedAt, idle))
  );
}

/** When a session ends by itself at the latest, and when nobody uses it: shorter settings of the tenant count at once. */
export function effectiveExpiry(tenant: Tenant, session: Session): { readonly absolute: Date; readonly idle: Date } {
  const { absolute, idle } = lifetimes(tenant, session);
  const end = earlier(session.expiresAt, new Date(session.authenticatedAt.getTime() + absolute));
  const idleEnd = session.isIdleSet
    ? session.idleExpiresAt
    : earlier(session.idleExpiresAt, new Date(session.lastUsedAt.getTime() + idle));
  return { absolute: end, idle: earlier(end, idleEnd) };
}

/** Undefined: the cookie ends with the browser (tenant setting session_cookie.mode). */
export function cookieExpiry(_tenant: Tenant, session: Pick<Session, 'isPersistent' | 'expiresAt'>): Date | undefined {
  return session.isPersistent ? session.expiresAt : undefined;
}

export function cookieHash(cookie: string): string {
  return digest(cookie);
}

/** Sessions that end with the browser are ephemeral and have lifetimes of their own. */
export function lifetimes(
  tenant: Tenant,
  { isPersistent }: Pick<Session, 'isPersistent'>,
): { readonly absolute: number; readonly idle: number } {
  const settings = settingsOf(tenant);
  return isPersistent
    ? { absolute: settings.sessionLifetime * 1000, idle: settings.idleSessionLifetime * 1000 }
    : { absolute: settings.ephemeralSessionLifetime * 1000, idle: settings.idleEphemeralSessionLifetime * 1000 };
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
