import type { RecordEvent } from '../../logs/event.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { confirmAccess } from '../possession/confirm-access.ts';
import { tokenTypeOf } from '../possession/possession.ts';
import { accessTokenClaims } from '../tokens/access-token.ts';
import type { SignToken } from '../tokens/sign-token.ts';
import { exchangeEvent, type Grant } from './token-grant.ts';

interface Parts {
  readonly access: AccessResolver;
  readonly signToken: SignToken;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

/** client_credentials: RFC 6749 section 4.4, authentication-api section 3.2. */
export function clientCredentialsGrant({ access, signToken, recordAlone, now }: Parts): Grant {
  return {
    grantTypes: ['client_credentials'],
    failed: 'clientCredentialsExchangeFailed',

    async exchange(exchange) {
      const { tenant, origin, client, parameters } = exchange;
      // A client that nobody can tell from another must not speak for itself (RFC 6749 section 4.4: confidential clients only).
      if (client.tokenEndpointAuthMethod === 'none')
        throw oauthErrors.grantNotAllowed({ grantType: exchange.grantType });
      const target = await access.target(tenant, parameters.get('audience'), (audience) =>
        oauthErrors.serviceNotEnabled({ audience }),
      );
      const scopes = await access.forClient(tenant, client, target, parameters.get('scope'));
      if (!target.api || target.audience === undefined) throw oauthErrors.missingAudience();
      const confirmation = confirmAccess(client, target.api, exchange.possession);
      const { payload, typ } = accessTokenClaims({
        issuer: `${origin}/`,
        subject: `${client.clientId}@clients`,
        clientId: client.clientId,
        api: target.api,
        audience: target.audience,
        scopes,
        permissions: scopes,
        confirmation,
        grantType: 'client-credentials',
        issuedAt: Math.floor(now().getTime() / 1000),
        lifetimeInSeconds: target.api.tokenLifetime,
      });
      const scope = scopes.join(' ');
      const [accessToken] = await Promise.all([
        signToken.forApi(tenant.tenantId, target.api, payload, typ),
        recordAlone(tenant.tenantId, {
          ...exchangeEvent(exchange),
          type: 'clientCredentialsExchanged',
          audience: target.audience,
          ...(scope && { scope }),
        }),
      ]);
      return {
        access_token: accessToken,
        ...(scope && { scope }),
        expires_in: target.api.tokenLifetime,
        token_type: tokenTypeOf(confirmation),
      };
    },
  };
}
