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
  readonly idleExpiresAt: Date;
  readonly expiresAt: Date;
}

export interface NewSession extends Session {
  /** Goes to the browser; stored as a hash. */
  readonly cookie: string;
}

/** A new login: always a new id and a new cookie, so that a cookie planted before it is worth nothing (attack L6). */
export function startSession(tenant: Tenant, userId: string, connectionId: string, now: Date): NewSession {
  const { absolute, idle } = lifetimes(tenant);
  const expiresAt = new Date(now.getTime() + absolute);
  return {
    sessionId: randomSecret(24),
    cookie: randomSecret(),
    userId,
    connectionId,
    authenticatedAt: now,
    expiresAt,
    idleExpiresAt: earlier(expiresAt, new Date(now.getTime() + idle)),
  };
}

/** The idle expiry after a use. Shorter settings of the tenant count at once, longer ones for new sessions. */
export function renewedIdleExpiry(tenant: Tenant, session: Session, now: Date): Date {
  return earlier(session.expiresAt, new Date(now.getTime() + lifetimes(tenant).idle));
}

export function isAlive(session: Session, tenant: Tenant, now: Date): boolean {
  const shortened = new Date(session.authenticatedAt.getTime() + lifetimes(tenant).absolute);
  return now < session.idleExpiresAt && now < session.expiresAt && now < shortened;
}

/** Undefined: the cookie ends with the browser (tenant setting session_cookie.mode). */
export function cookieExpiry(tenant: Tenant, session: Session): Date | undefined {
  return settingsOf(tenant).isSessionCookiePersistent ? session.expiresAt : undefined;
}

export function cookieHash(cookie: string): string {
  return digest(cookie);
}

function lifetimes(tenant: Tenant): { absolute: number; idle: number } {
  const settings = settingsOf(tenant);
  return { absolute: settings.sessionLifetime * 1000, idle: settings.idleSessionLifetime * 1000 };
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
