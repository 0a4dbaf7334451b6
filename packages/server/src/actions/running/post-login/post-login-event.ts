import type { Json } from '../../../kit/json-values.ts';
import type { KnownFacts, RefreshTokenFacts, SessionFacts, TokenExchangeFacts } from '../../../pipeline/login-facts.ts';
import { clientPart, connectionPart, requestPart, tenantPart, userPart } from '../event-parts.ts';
import { transactionPart } from '../transaction-part.ts';

/** `event` of post-login. What is not known is left out: riskAssessment, organization, custom_domain. */
export function postLoginEvent(facts: KnownFacts, transactionMetadata: Json): Json {
  const { tenant, client, connection, user, session, target, refreshToken, resumed } = facts;
  const { requester, method, query, body } = resumed?.request ?? facts.request;
  const asked = { ...facts.request.query, ...textsOf(facts.request.body) };
  return {
    authentication: { methods: facts.methods },
    authorization: { roles: facts.roles },
    client: clientPart(client),
    connection: connectionPart(connection),
    request: requestPart({ requester, method, body, query }),
    ...(target.api && { resource_server: { identifier: target.api.identifier } }),
    ...(refreshToken && { refresh_token: refreshTokenPart(facts, refreshToken) }),
    ...(session && { session: sessionPart(facts, session) }),
    stats: { logins_count: facts.loginsCount },
    tenant: tenantPart(tenant),
    transaction: {
      ...transactionPart(asked, facts.protocol),
      ...(facts.tokenExchange && exchangePart(facts.tokenExchange)),
      metadata: transactionMetadata,
    },
    user: { ...userPart(user), enrolledFactors: [] },
  };
}

function sessionPart(
  { user, sessionClients, sessionMetadata, sessionPast: past }: KnownFacts,
  session: SessionFacts,
): Json {
  return {
    id: session.sessionId,
    user_id: user.userId,
    authenticated_at: session.authenticatedAt.toISOString(),
    clients: sessionClients.map((id) => ({ client_id: id })),
    ...(past && {
      cookie: { mode: past.isPersistent ? 'persistent' : 'non-persistent' },
      created_at: past.createdAt.toISOString(),
      device: past.device,
      expires_at: past.expiresAt.toISOString(),
      idle_expires_at: past.idleExpiresAt.toISOString(),
      last_interacted_at: past.updatedAt.toISOString(),
      updated_at: past.updatedAt.toISOString(),
    }),
    metadata: sessionMetadata,
  };
}

/** Members that are not known are left out: one that was used up meanwhile has a name, and no more. */
function refreshTokenPart(
  { origin, client, user, refreshTokenPast: past }: KnownFacts,
  { tokenId }: RefreshTokenFacts,
): Json {
  return {
    id: tokenId,
    client_id: client.clientId,
    user_id: user.userId,
    ...(past && {
      created_at: past.createdAt.toISOString(),
      device: past.device,
      ...(past.expiresAt && { expires_at: past.expiresAt.toISOString() }),
      ...(past.idleExpiresAt && { idle_expires_at: past.idleExpiresAt.toISOString() }),
      ...(past.lastUsedAt && { last_exchanged_at: past.lastUsedAt.toISOString() }),
      metadata: past.metadata,
      // Without an audience the access token is for /userinfo.
      resource_servers: [{ audience: past.audience ?? `${origin}/userinfo`, scopes: past.scope }],
      rotating: past.rotating,
      ...(past.sessionId !== undefined && { session_id: past.sessionId }),
    }),
  };
}

function exchangePart({ subjectTokenType, actor, actorTokenType }: TokenExchangeFacts): Json {
  return {
    ...(actor && { actor }),
    ...(actorTokenType !== undefined && { actor_token_type: actorTokenType }),
    subject_token_type: subjectTokenType,
  };
}

function textsOf(body: Json): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
