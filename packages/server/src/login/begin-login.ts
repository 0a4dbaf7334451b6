import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TenantCookie } from '../http/cookies.ts';
import { randomSecret } from '../kit/ids.ts';
import type { LoginTransactionStore, NewLogin } from './login-transaction-store.ts';

interface Parts {
  readonly browserCookie: TenantCookie;
  readonly transactions: Pick<LoginTransactionStore, 'insert'>;
  readonly now: () => Date;
}

export type LoginPage = '/u/login' | '/u/signup' | '/u/login-select-account' | '/u/consent';

/** Long enough for a user who has to look for a password; Auth0 gives about an hour. */
const LIFETIME_MILLISECONDS = 3_600_000;
const BROWSER_COOKIE = /^[A-Za-z0-9_-]{43}$/;

/** Stores what the login is for under a fresh `state`, bound to this browser, and sends the browser to its first page. */
export function createBeginLogin({ browserCookie, transactions, now }: Parts) {
  return async function beginLogin(
    http: FastifyRequest,
    reply: FastifyReply,
    login: NewLogin,
    page: LoginPage,
  ): Promise<FastifyReply> {
    const known = browserCookie.read(http);
    // One cookie serves all tabs of a browser: each tab has a transaction of its own.
    const browser = known && BROWSER_COOKIE.test(known) ? known : randomSecret();
    const state = randomSecret();
    const expiresAt = new Date(now().getTime() + LIFETIME_MILLISECONDS);
    await transactions.insert(http.tenant.tenantId, { state, browser }, login, expiresAt);
    browserCookie.write(http, reply, browser);
    return reply.header('cache-control', 'no-store').redirect(`${page}?state=${state}`, 302);
  };
}

export type BeginLogin = ReturnType<typeof createBeginLogin>;
