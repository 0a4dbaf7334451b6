import type { ConsentStore } from '../../consents/consent-store.ts';
import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import { randomAlphanumeric, randomSecret } from '../../kit/ids.ts';
import type { LoginTransactionStore } from '../../login/login-transaction-store.ts';
import type { RecordEvent, Requester } from '../../logs/event.ts';
import { renewedIdleExpiry } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { AuthorizationCodeStore } from './authorization-code-store.ts';
import type { AuthorizationRequest } from './authorization-request.ts';
import type { PrepareFrontChannelTokens } from './front-channel-tokens.ts';
import type { Granted } from './proceed.ts';
import { usesFrontChannel } from './response-type.ts';

interface Stores {
  readonly codes: AuthorizationCodeStore;
  readonly consents: Pick<ConsentStore, 'hold'>;
  readonly tokenGrants: TokenGrantStore;
  readonly sessions: Pick<SessionStore, 'touch'>;
  readonly loginTransactions: Pick<LoginTransactionStore, 'remove'>;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly prepareTokens: PrepareFrontChannelTokens;
  readonly now: () => Date;
}

export interface AnswerToIssue extends Granted {
  readonly tenant: Tenant;
  /** The origin that answers: the issuer of the tokens. */
  readonly origin: string;
  readonly requester: Pick<Requester, 'ip' | 'userAgent'>;
  readonly request: AuthorizationRequest;
}

/** Parameters for the responder: code, access_token, token_type, expires_in, scope, id_token, as response_type asked. */
export type AnswerParameters = Readonly<Record<string, string>>;

/** RFC 6749 section 4.1.2 recommends at most ten minutes; clients redeem within seconds. */
const CODE_LIFETIME_MILLISECONDS = 120_000;

/**
 * Answers a request for a session with what its response_type names. Undefined where the session, the consent or the login
 * transaction has ended meanwhile. Throws a declared error, for the redirect URI, where the client may not use the API.
 */
export function createAnswerIssuer({ transact, prepareTokens, now }: Parts) {
  return async function issueAnswer(answer: AnswerToIssue): Promise<AnswerParameters | undefined> {
    const { tenant, request, session, event, state, consentId } = answer;
    const { tenantId } = tenant;
    const { responseType } = request;
    const time = now();
    const code = responseType.code ? randomSecret() : undefined;
    const grantId = randomAlphanumeric(24);
    const tokens = usesFrontChannel(responseType)
      ? await prepareTokens({ ...answer, grantId, code, now: time })
      : undefined;
    const [signed, isIssued] = await Promise.all([
      tokens?.sign(),
      transact(async ({ codes, consents, tokenGrants, sessions, loginTransactions, record }) => {
        // First, since it locks the session: a logout or a new password either ends it before, or finds the grant below.
        const idleExpiresAt = renewedIdleExpiry(tenant, session, time);
        const use = { clientId: request.client.clientId, origin: answer.origin, ...answer.requester };
        if (!(await sessions.touch(tenantId, session.sessionId, idleExpiresAt, time, use))) return false;
        if (state !== undefined && !(await loginTransactions.remove(tenantId, state))) return false;
        if (consentId !== undefined && !(await consents.hold(tenantId, consentId))) return false;
        // An ID token alone opens nothing, so there is nothing to revoke.
        if (code !== undefined || responseType.token) {
          await tokenGrants.insert(tenantId, {
            grantId,
            clientId: request.client.clientId,
            userId: session.userId,
            connectionId: session.connectionId,
            sessionId: session.sessionId,
            grantType: code === undefined ? 'implicit' : 'code',
            audience: request.target.audience,
            // What a code is good for is settled when it is redeemed.
            scope: code === undefined && tokens ? tokens.scope : request.scope,
            authTime: session.authenticatedAt,
            expiresAt: grantExpiry(time, undefined),
          });
        }
        if (tokens?.opaque) await tokenGrants.insertAccessToken(tenantId, tokens.opaque);
        if (code !== undefined) {
          await codes.insert(tenantId, {
            codeHash: digest(code),
            grantId,
            clientId: request.client.clientId,
            redirectUri: request.isRedirectUriGiven ? request.redirectUri : undefined,
            nonce: request.nonce,
            codeChallenge: request.codeChallenge,
            maxAge: request.maxAge,
            dpopJkt: request.dpopJkt,
            expiresAt: new Date(time.getTime() + CODE_LIFETIME_MILLISECONDS),
          });
        }
        if (event) await record(tenantId, event);
        return true;
      }),
    ]);
    return isIssued ? { ...(code !== undefined && { code }), ...signed } : undefined;
  };
}

export type IssueAnswer = ReturnType<typeof createAnswerIssuer>;
