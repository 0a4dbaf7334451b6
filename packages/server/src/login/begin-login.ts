import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TenantCookie } from '../http/cookies.ts';
import { randomSecret } from '../kit/ids.ts';
import { browserSecret } from './browser-secret.ts';
import type { LoginTransactionStore, NewLogin } from './login-transaction-store.ts';

interface Parts {
  readonly browserCookie: TenantCookie;
  readonly transactions: Pick<LoginTransactionStore, 'insert'>;
  readonly now: () => Date;
}

export type LoginPage =
  | '/u/login'
  | '/u/signup'
  | '/u/reset-password/request'
  | '/u/login-select-account'
  | '/u/consent';

/** Long enough for a user who has to look for a password; Auth0 gives about an hour. */
const LIFETIME_MILLISECONDS = 3_600_000;

/** Stores what the login is for under a fresh `state`, bound to this browser, and sends the browser to its first page. */
export function createBeginLogin({ browserCookie, transactions, now }: Parts) {
  return async function beginLogin(
    http: FastifyRequest,
    reply: FastifyReply,
    login: NewLogin,
    page: LoginPage,
  ): Promise<FastifyReply> {
    // One cookie serves all tabs of a browser: each tab has a transaction of its own.
    const browser = browserSecret(browserCookie, http, reply);
    const state = randomSecret();
    const initiatedAt = now().getTime();
    const begun = { ...login, progress: { initiatedAt, ...login.progress } };
    await transactions.insert(
      http.tenant.tenantId,
      { state, browser },
      begun,
      new Date(initiatedAt + LIFETIME_MILLISECONDS),
    );
    return reply.header('cache-control', 'no-store').redirect(`${page}?state=${state}`, 302);
  };
}

export type BeginLogin = ReturnType<typeof createBeginLogin>;
