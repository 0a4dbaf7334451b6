import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import { randomAlphanumeric, randomSecret } from '../../kit/ids.ts';
import type { LoginTransactionStore } from '../../login/login-transaction-store.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { renewedIdleExpiry } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { AuthorizationCodeStore } from './authorization-code-store.ts';
import type { AuthorizationRequest } from './authorization-request.ts';
import type { Granted } from './proceed.ts';

interface Stores {
  readonly codes: AuthorizationCodeStore;
  readonly tokenGrants: TokenGrantStore;
  readonly sessions: Pick<SessionStore, 'touch'>;
  readonly loginTransactions: Pick<LoginTransactionStore, 'remove'>;
  readonly record: RecordEvent;
}

export interface CodeToIssue extends Granted {
  readonly tenant: Tenant;
  readonly request: AuthorizationRequest;
}

/** RFC 6749 section 4.1.2 recommends at most ten minutes; clients redeem within seconds. */
const CODE_LIFETIME_MILLISECONDS = 120_000;

/** Issues a code for a session. Undefined where the session or the login transaction has ended meanwhile. */
export function createCodeIssuer({ transact, now }: { transact: Transact<Stores>; now: () => Date }) {
  return async function issueCode({
    tenant,
    request,
    session,
    event,
    state,
  }: CodeToIssue): Promise<string | undefined> {
    const { tenantId } = tenant;
    const time = now();
    const code = randomSecret();
    const grantId = randomAlphanumeric(24);
    return transact(async ({ codes, tokenGrants, sessions, loginTransactions, record }) => {
      // First, since it locks the session: a logout or a new password either ends it before, or finds the grant below.
      if (!(await sessions.touch(tenantId, session.sessionId, renewedIdleExpiry(tenant, session, time), time)))
        return undefined;
      if (state !== undefined && !(await loginTransactions.remove(tenantId, state))) return undefined;
      await tokenGrants.insert(tenantId, {
        grantId,
        clientId: request.client.clientId,
        userId: session.userId,
        connectionId: session.connectionId,
        sessionId: session.sessionId,
        grantType: 'code',
        audience: request.target.audience,
        scope: request.scope,
        authTime: session.authenticatedAt,
        expiresAt: grantExpiry(time, undefined),
      });
      await codes.insert(tenantId, {
        codeHash: digest(code),
        grantId,
        clientId: request.client.clientId,
        redirectUri: request.isRedirectUriGiven ? request.redirectUri : undefined,
        nonce: request.nonce,
        codeChallenge: request.codeChallenge,
        maxAge: request.maxAge,
        expiresAt: new Date(time.getTime() + CODE_LIFETIME_MILLISECONDS),
      });
      if (event) await record(tenantId, event);
      return code;
    });
  };
}

export type IssueCode = ReturnType<typeof createCodeIssuer>;
