import type { ExchangeCredentials } from '../../actions/running/credentials-exchange.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { parseScope } from '../access/scope.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { confirmAccess } from '../possession/confirm-access.ts';
import { tokenTypeOf } from '../possession/possession.ts';
import { shownParameters } from '../shown-parameters.ts';
import { accessTokenClaims } from '../tokens/access-token.ts';
import type { SignToken } from '../tokens/sign-token.ts';
import { exchangeEvent, type Grant } from './token-grant.ts';

interface Parts {
  readonly access: AccessResolver;
  readonly exchangeCredentials: ExchangeCredentials;
  readonly signToken: SignToken;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

/** client_credentials: RFC 6749 section 4.4, authentication-api section 3.2. */
export function clientCredentialsGrant({ access, exchangeCredentials, signToken, recordAlone, now }: Parts): Grant {
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
      const granted = await access.forClient(tenant, client, target, parameters.get('scope'));
      if (!target.api || target.audience === undefined) throw oauthErrors.missingAudience();
      const about = { ...exchangeEvent(exchange), audience: target.audience };
      const { scopes, claims, executionId } = await exchangeCredentials({
        tenant,
        client,
        api: target.api,
        audience: target.audience,
        scopes: granted,
        requestedScopes: parseScope(parameters.get('scope')),
        requester: exchange.requester,
        body: shownParameters(parameters.all),
        about,
      });
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
        signToken.forApi(tenant.tenantId, target.api, { ...claims, ...payload }, typ),
        recordAlone(tenant.tenantId, {
          ...about,
          type: 'clientCredentialsExchanged',
          ...(scope && { scope }),
          ...(executionId !== undefined && { details: { actions: { executions: [executionId] } } }),
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
