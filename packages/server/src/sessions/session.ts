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
    lastUsedAt: now,
    expiresAt,
    idleExpiresAt: earlier(expiresAt, new Date(now.getTime() + idle)),
  };
}

/** The idle expiry after a use. Shorter settings of the tenant count at once, longer ones for new sessions. */
export function renewedIdleExpiry(tenant: Tenant, session: Session, now: Date): Date {
  const { lastUsedAt, idleExpiresAt, expiresAt } = session;
  // One that ends with the session itself was cut: what was granted is not known, and renewing changes nothing.
  const granted = idleExpiresAt < expiresAt ? idleExpiresAt.getTime() - lastUsedAt.getTime() : Infinity;
  const end = now.getTime() + Math.min(granted, lifetimes(tenant).idle);
  return earlier(expiresAt, new Date(end));
}

export function isAlive(session: Session, tenant: Tenant, now: Date): boolean {
  const { authenticatedAt, lastUsedAt, idleExpiresAt, expiresAt } = session;
  const { absolute, idle } = lifetimes(tenant);
  const isWithin = (start: Date, length: number) => now.getTime() < start.getTime() + length;
  return now < idleExpiresAt && now < expiresAt && isWithin(authenticatedAt, absolute) && isWithin(lastUsedAt, idle);
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
