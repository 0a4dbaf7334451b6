import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transact } from '../db/transact.ts';
import type { TenantCookie } from '../http/cookies.ts';
import { randomSecret } from '../kit/ids.ts';
import { explained } from '../logs/explain-error.ts';
import type { Redirect } from '../pipeline/outcome.ts';
import { pipelineErrors } from '../pipeline/pipeline-errors.ts';
import { redirectTarget, withoutParameters } from '../pipeline/redirect-target.ts';
import { browserSecret } from './browser-secret.ts';
import type { ContinuationStore } from './continuation-store.ts';
import type { LoginProgress, LoginTransactionStore, NewLogin } from './login-transaction-store.ts';

interface Parts {
  readonly browserCookie: TenantCookie;
  readonly transact: Transact<{
    readonly loginTransactions: Pick<LoginTransactionStore, 'insert'>;
    readonly continuations: Pick<ContinuationStore, 'suspend'>;
  }>;
  readonly now: () => Date;
}

/** A login with a transaction, which came back from a page already or not, or one that a session answered at once. */
export type LoginToSuspend =
  | { readonly state: string; readonly isBack: boolean; readonly progress: LoginProgress }
  | NewLogin;

/** RUL.12: a user may take an hour for what they are asked elsewhere. */
const LIFETIME_MILLISECONDS = 3_600_000;
const MOST_BYTES = 250_000;

/** Sends the browser to a page that tenant code named. The login waits for it at /continue; false where it has ended. */
export function createSuspendLogin({ browserCookie, transact, now }: Parts) {
  return async function suspendLogin(
    http: FastifyRequest,
    reply: FastifyReply,
    login: LoginToSuspend,
    { url, suspended }: Redirect,
  ): Promise<boolean> {
    const { tenant } = http;
    const continueState = randomSecret();
    const target = redirectTarget(tenant, url, continueState);
    if (Buffer.byteLength(JSON.stringify(suspended)) > MOST_BYTES)
      throw explained(pipelineErrors.failed(), {
        redirect: withoutParameters(url),
        reason: 'what is to be kept meanwhile is too large',
      });
    const time = now().getTime();
    const until = new Date(time + LIFETIME_MILLISECONDS);
    const progress = { ...(!('state' in login) && { initiatedAt: time }), ...login.progress };
    const isReload = 'state' in login && !login.isBack;
    const browser = 'state' in login ? undefined : browserSecret(browserCookie, http, reply);
    const isSuspended = await transact(async ({ loginTransactions, continuations }) => {
      const state = 'state' in login ? login.state : randomSecret();
      if (browser !== undefined && !('state' in login))
        await loginTransactions.insert(tenant.tenantId, { state, browser }, { ...login, progress }, until);
      return continuations.suspend(tenant.tenantId, { state, continueState, progress }, suspended, { until, isReload });
    });
    if (!isSuspended) return false;
    reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(target, 302);
    return true;
  };
}

export type SuspendLogin = ReturnType<typeof createSuspendLogin>;
