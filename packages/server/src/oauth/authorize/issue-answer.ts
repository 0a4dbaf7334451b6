import type { ConsentStore } from '../../consents/consent-store.ts';
import type { Transact } from '../../db/transact.ts';
import { digest } from '../../kit/digest.ts';
import { randomAlphanumeric, randomSecret } from '../../kit/ids.ts';
import type { LoginTransactionStore } from '../../login/login-transaction-store.ts';
import type { AuditEvent, RecordEvent, Requester } from '../../logs/event.ts';
import { type SessionTouch, touched } from '../../sessions/session.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { NewAccessToken, NewTokenGrant, TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { CodeOfSession, GiveCode } from './answer-together.ts';
import type { AuthorizationCodeStore, NewAuthorizationCode } from './authorization-code-store.ts';
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
  readonly giveCode: GiveCode;
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

/** What an answer changes. */
type Stored = Omit<CodeOfSession, 'idleExpiresAt' | 'grant' | 'code' | 'event'> & {
  readonly touch: SessionTouch;
  readonly grant: NewTokenGrant | undefined;
  readonly accessToken: NewAccessToken | undefined;
  readonly code: NewAuthorizationCode | undefined;
  readonly event: AuditEvent | undefined;
};

/** RFC 6749 section 4.1.2 recommends at most ten minutes; clients redeem within seconds. */
const CODE_LIFETIME_MILLISECONDS = 120_000;

/**
 * Answers a request for a session with what its response_type names. Undefined where the session, the consent or the login
 * transaction has ended meanwhile. Throws a declared error, for the redirect URI, where the client may not use the API.
 */
export function createAnswerIssuer({ transact, giveCode, prepareTokens, now }: Parts) {
  return async function issueAnswer(answer: AnswerToIssue): Promise<AnswerParameters | undefined> {
    const { tenant, request, session, event } = answer;
    const { tenantId } = tenant;
    const { responseType } = request;
    const time = now();
    const code = responseType.code ? randomSecret() : undefined;
    const grantId = randomAlphanumeric(24);
    const tokens = usesFrontChannel(responseType)
      ? await prepareTokens({ ...answer, grantId, code, now: time })
      : undefined;
    // An ID token alone opens nothing, so there is nothing to revoke.
    const grant: NewTokenGrant | undefined =
      code === undefined && !responseType.token
        ? undefined
        : {
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
            additions: answer.additions,
            expiresAt: grantExpiry(time, undefined),
          };
    const stored: Stored = {
      tenantId,
      sessionId: session.sessionId,
      touch: touched(tenant, session, time, answer.additions.session),
      use: { clientId: request.client.clientId, origin: answer.origin, ...answer.requester },
      grant,
      accessToken: tokens?.opaque,
      code: code === undefined ? undefined : newCode(request, code, grantId, time),
      event,
      now: time,
    };
    const [signed, isIssued] = await Promise.all([tokens?.sign(), store(stored, answer)]);
    return isIssued ? { ...(code !== undefined && { code }), ...signed } : undefined;
  };

  function store(stored: Stored, { state, consentId, additions }: AnswerToIssue): Promise<boolean> {
    const { tenantId, sessionId, touch, use, grant, accessToken, code, event, now } = stored;
    const isCodeAlone = grant !== undefined && accessToken === undefined && code !== undefined;
    if (isCodeAlone && event !== undefined && state === undefined && consentId === undefined && !additions.session)
      return giveCode({ tenantId, sessionId, idleExpiresAt: touch.idleExpiresAt, use, grant, code, event, now });
    return transact(async ({ codes, consents, tokenGrants, sessions, loginTransactions, record }) => {
      // First, since it locks the session: a logout or a new password either ends it before, or finds the grant below.
      if (!(await sessions.touch(tenantId, sessionId, touch, use))) return false;
      if (state !== undefined && !(await loginTransactions.remove(tenantId, state))) return false;
      if (consentId !== undefined && !(await consents.hold(tenantId, consentId))) return false;
      if (grant) await tokenGrants.insert(tenantId, grant);
      if (accessToken) await tokenGrants.insertAccessToken(tenantId, accessToken);
      if (code) await codes.insert(tenantId, code);
      if (event) await record(tenantId, event);
      return true;
    });
  }
}

function newCode(request: AuthorizationRequest, code: string, grantId: string, time: Date): NewAuthorizationCode {
  return {
    codeHash: digest(code),
    grantId,
    clientId: request.client.clientId,
    redirectUri: request.isRedirectUriGiven ? request.redirectUri : undefined,
    nonce: request.nonce,
    codeChallenge: request.codeChallenge,
    maxAge: request.maxAge,
    dpopJkt: request.dpopJkt,
    expiresAt: new Date(time.getTime() + CODE_LIFETIME_MILLISECONDS),
  };
}

export type IssueAnswer = ReturnType<typeof createAnswerIssuer>;
