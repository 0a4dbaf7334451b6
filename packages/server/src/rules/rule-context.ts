import { textOf, textsOf } from '../kit/json-values.ts';
import type { KnownFacts, Protocol, RequestFacts } from '../pipeline/login-facts.ts';
import { ruleMethod } from './rule-user.ts';

/** `context` as rules see it. What is not known is left out: riskAssessment, geoip, organization. */
export function ruleContext(facts: KnownFacts): Record<string, unknown> {
  const { tenant, client, connection, session, protocol, resumed, roles, methods } = facts;
  return {
    tenant: tenant.tenantId,
    clientID: client.clientId,
    clientName: client.name,
    clientMetadata: client.metadata,
    connectionID: connection.id,
    connection: connection.name,
    connectionStrategy: connection.strategy,
    connectionOptions: connectionOptions(connection.options),
    connectionMetadata: connection.metadata ?? {},
    protocol: resumed ? 'redirect-callback' : protocolOfRules(protocol),
    ...(resumed && { original_protocol: protocolOfRules(protocol) }),
    request: ruleRequest(resumed?.request ?? facts.request),
    stats: { loginsCount: facts.loginsCount },
    sso: sso(facts),
    ...(session && { sessionID: session.sessionId }),
    authentication: { methods: methods.map(ruleMethod) },
    authorization: { roles },
    primaryUser: facts.user.userId,
    idToken: {},
    accessToken: {},
    samlConfiguration: {},
    jwtConfiguration: {},
  };
}

/** Never more of a connection: its options hold secrets. */
function connectionOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const domain = textOf(options.tenant_domain);
  const aliases = textsOf(options.domain_aliases);
  return {
    ...(domain !== undefined && { tenant_domain: domain }),
    ...(aliases.length > 0 && { domain_aliases: aliases }),
  };
}

function ruleRequest({ requester, method, query, body }: RequestFacts): Record<string, unknown> {
  const { ip, userAgent, hostname } = requester;
  return { userAgent, ip, hostname, method, query, body };
}

function sso({ session, connection, sessionClients }: KnownFacts): Record<string, unknown> {
  const isSingleSignOn = session?.isSingleSignOn === true;
  return {
    with_auth0: isSingleSignOn,
    with_dbconn: isSingleSignOn && connection.strategy === 'auth0',
    current_clients: sessionClients,
  };
}

/** Rules are older than the name of the hybrid flow: they compare with that of the implicit one. */
function protocolOfRules(protocol: Protocol): string {
  return protocol === 'oidc-hybrid-profile' ? 'oidc-implicit-profile' : protocol;
}
