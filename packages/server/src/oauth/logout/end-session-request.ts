import type { FastifyRequest } from 'fastify';
import { decodeJwt } from 'jose';
import type { Client } from '../../clients/client.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { ReadIdToken } from '../authorize/check-id-token-hint.ts';
import type { Parameters } from '../parameters.ts';
import type { Logout } from './finish-logout.ts';
import { checkLogoutUrl, clientOfLogout, logoutErrors } from './logout-target.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly readIdToken: ReadIdToken;
  readonly isIssuer: (tenant: Tenant, issuer: string) => boolean;
}

/** Whose session the application means: what its ID token says, or a session's id that it knows. */
export interface SessionHint {
  readonly sessionId: string | undefined;
  readonly userId: string | undefined;
}

export interface EndSessionRequest extends Logout {
  readonly hint: SessionHint | undefined;
}

export type ReadEndSessionRequest = ReturnType<typeof createEndSessionReader>;

/** The checks of OpenID Connect RP-Initiated Logout 1.0 sections 2 and 6. */
export function createEndSessionReader({ findClient, readIdToken, isIssuer }: Parts) {
  return async function readRequest(
    http: Pick<FastifyRequest, 'tenant'>,
    parameters: Parameters,
    known: (client: Client | undefined) => void,
  ): Promise<EndSessionRequest> {
    const { tenant } = http;
    const token = parameters.get('id_token_hint');
    const named = await clientOfLogout(findClient, http, parameters.get('client_id'));
    known(named);
    const claims = token === undefined ? undefined : await readHint(tenant, token, named);
    const client = named ?? (await clientOfLogout(findClient, http, claims?.audience));
    known(client);
    const sid = parameters.get('logout_hint');
    if (claims && sid !== undefined && sid !== claims.sessionId)
      throw logoutErrors.hintMismatch({ parameter: 'logout_hint' });
    const returnTo = checkLogoutUrl(
      tenant,
      client,
      'post_logout_redirect_uri',
      parameters.get('post_logout_redirect_uri'),
    );
    return {
      client,
      location: returnTo && withState(returnTo, parameters.get('state')),
      hint: claims ?? (sid === undefined ? undefined : { sessionId: sid, userId: undefined }),
    };
  };

  /** An expired one will do: it says who somebody was (section 4). Its key, issuer and audience must be right (attack T6). */
  async function readHint(tenant: Tenant, token: string, named: Client | undefined) {
    const audience = audienceOf(token);
    if (named && audience !== named.clientId) throw logoutErrors.hintMismatch({ parameter: 'client_id' });
    const client = named ?? (audience === undefined ? undefined : await findClient(tenant.tenantId, audience));
    if (!client || client.isGlobal) throw logoutErrors.invalidHint();
    const claims = await readIdToken(tenant.tenantId, client, token);
    // Access tokens are signed with the same key. They name their client, or what they allow; ID tokens do neither.
    const isIdToken = claims !== undefined && !OF_ACCESS_TOKENS.some((name) => name in claims);
    if (!isIdToken || claims.aud !== client.clientId || typeof claims.sub !== 'string')
      throw logoutErrors.invalidHint();
    if (typeof claims.iss !== 'string' || !isIssuer(tenant, claims.iss)) throw logoutErrors.invalidHint();
    const { sid } = claims;
    return {
      audience: client.clientId,
      sessionId: typeof sid === 'string' ? sid : undefined,
      userId: claims.sub,
    };
  }
}

const OF_ACCESS_TOKENS = ['azp', 'client_id', 'scope', 'gty'];

/** Not verified yet: it tells which client's rules the signature is checked by. */
function audienceOf(token: string): string | undefined {
  try {
    const { aud } = decodeJwt(token);
    return typeof aud === 'string' ? aud : undefined;
  } catch {
    return undefined;
  }
}

function withState(url: string, state: string | undefined): string {
  if (state === undefined) return url;
  const [address = '', ...fragment] = url.split('#');
  const joined = `${address}${address.includes('?') ? '&' : '?'}${new URLSearchParams({ state })}`;
  return [joined, ...fragment].join('#');
}
