import type { Tenant } from '../../tenants/tenant.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { exchangeErrors } from '../token-exchange/exchange-errors.ts';
import type { RunExchangeAction } from '../token-exchange/run-exchange-action.ts';
import type { TokenExchangeProfile } from '../token-exchange/token-exchange-profile.ts';
import type { Exchange, Grant } from './token-grant.ts';

interface Parts {
  readonly access: Pick<AccessResolver, 'target'>;
  readonly findProfile: (tenant: Tenant, subjectTokenType: string) => Promise<TokenExchangeProfile | undefined>;
  readonly runExchangeAction: RunExchangeAction;
}

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const LONGEST_SHOWN = 128;

/** token-exchange: RFC 8693 section 2, authentication-api section 3.8. A profile's action decides; what it decides about is checked first. */
export function tokenExchangeGrant({ access, findProfile, runExchangeAction }: Parts): Grant {
  async function exchange(exchange: Exchange) {
    const { tenant, client, parameters } = exchange;
    const subjectToken = parameters.require('subject_token');
    const type = parameters.require('subject_token_type');
    checkActor(parameters.get('actor_token'), parameters.get('actor_token_type'));
    const requested = parameters.get('requested_token_type') ?? ACCESS_TOKEN;
    if (requested !== ACCESS_TOKEN) throw exchangeErrors.requestedType({ type: requested.slice(0, LONGEST_SHOWN) });
    if (parameters.get('resource') !== undefined) throw exchangeErrors.resource();
    const profile = await findProfile(tenant, type);
    if (!profile) throw exchangeErrors.unknownType({ type: type.slice(0, LONGEST_SHOWN) });
    // Only the tenant's own applications may say who somebody is.
    if (!client.isFirstParty || !client.exchangeProfileTypes.includes(profile.type))
      throw exchangeErrors.notAllowed({ type: profile.type });
    const target = await access.target(tenant, parameters.get('audience'), (audience) =>
      oauthErrors.serviceNotEnabled({ audience }),
    );
    return runExchangeAction({ exchange, profile, subjectToken, requestedType: requested, target });
  }

  return {
    grantTypes: [TOKEN_EXCHANGE],
    failed: 'customTokenExchangeFailed',
    // The client's own setting opens it, profile type by profile type.
    isOpenToEveryClient: true,
    exchange,
  };
}

/** RFC 8693 section 2.1: the type of the actor's token is required with the token, and refused without it. */
function checkActor(token: string | undefined, type: string | undefined): void {
  if ((token === undefined) !== (type === undefined)) throw exchangeErrors.actorIncomplete();
}
