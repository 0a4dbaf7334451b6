import type { Json } from '../../../kit/json-values.ts';
import type { KnownFacts } from '../../../pipeline/login-facts.ts';
import { clientPart, connectionPart, requestPart, tenantPart, userPart } from '../event-parts.ts';
import { transactionPart } from '../transaction-part.ts';

/** `event` of post-login. What is not known is left out: riskAssessment, organization, custom_domain. */
export function postLoginEvent(facts: KnownFacts, transactionMetadata: Json): Json {
  const { tenant, client, connection, user, session, target, refreshToken, resumed } = facts;
  const { ip, userAgent, hostname, method, query, body } = resumed?.request ?? facts.request;
  const asked = { ...facts.request.query, ...textsOf(facts.request.body) };
  return {
    authentication: { methods: facts.methods },
    authorization: { roles: facts.roles },
    client: clientPart(client),
    connection: connectionPart(connection),
    request: requestPart({ requester: { ip, userAgent, hostname }, method, body, query }),
    ...(target.api && { resource_server: { identifier: target.api.identifier } }),
    ...(refreshToken && {
      refresh_token: { id: refreshToken.tokenId, client_id: client.clientId, user_id: user.userId },
    }),
    ...(session && {
      session: {
        id: session.sessionId,
        user_id: user.userId,
        authenticated_at: session.authenticatedAt.toISOString(),
        clients: facts.sessionClients.map((id) => ({ client_id: id })),
        metadata: facts.sessionMetadata,
      },
    }),
    stats: { logins_count: facts.loginsCount },
    tenant: tenantPart(tenant),
    transaction: { ...transactionPart(asked, facts.protocol), metadata: transactionMetadata },
    user: { ...userPart(user), enrolledFactors: [] },
  };
}

function textsOf(body: Json): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
