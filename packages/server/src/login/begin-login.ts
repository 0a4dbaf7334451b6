import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TenantCookie } from '../http/cookies.ts';
import type { Form } from '../http/form.ts';
import { randomSecret } from '../kit/ids.ts';
import type { AuthorizationRequest } from '../oauth/authorize/authorization-request.ts';
import type { LoginTransactionStore } from './login-transaction-store.ts';

interface Parts {
  readonly browserCookie: TenantCookie;
  readonly transactions: Pick<LoginTransactionStore, 'insert'>;
  readonly now: () => Date;
}

/** Long enough for a user who has to look for a password; Auth0 gives about an hour. */
const LIFETIME_MILLISECONDS = 3_600_000;
const BROWSER_COOKIE = /^[A-Za-z0-9_-]{43}$/;

/** Stores the request under a fresh `state`, bound to this browser, and sends the browser to the first page. */
export function createBeginLogin({ browserCookie, transactions, now }: Parts) {
  return async function beginLogin(
    http: FastifyRequest,
    reply: FastifyReply,
    request: AuthorizationRequest,
    form: Form,
  ): Promise<FastifyReply> {
    const known = browserCookie.read(http);
    // One cookie serves all tabs of a browser: each tab has a transaction of its own.
    const browser = known && BROWSER_COOKIE.test(known) ? known : randomSecret();
    const state = randomSecret();
    const expiresAt = new Date(now().getTime() + LIFETIME_MILLISECONDS);
    await transactions.insert(
      http.tenant.tenantId,
      { state, browser },
      { clientId: request.client.clientId, request: form.values },
      expiresAt,
    );
    browserCookie.write(http, reply, browser);
    const page = request.screenHint === 'signup' ? '/u/signup' : '/u/login';
    return reply.header('cache-control', 'no-store').redirect(`${page}?state=${state}`, 302);
  };
}
