import type { Connection } from '../../connections/connection.ts';
import type { User } from '../../users/user.ts';
import type { Target } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { LogInByBackchannel } from '../token/backchannel-login.ts';
import { type Exchange, exchangeEvent } from '../token/token-grant.ts';
import type { TokenResponse } from '../tokens/user-tokens.ts';

/** Whose tokens a subject token is exchanged for. */
export interface ExchangedFor {
  readonly user: User;
  readonly connection: Connection;
  readonly target: Target;
  /** The execution of the profile's action. */
  readonly executionId: string;
}

/** Tokens of the user whom an action named: this is a login, and rules and post-login actions run as in others. */
export function createExchangeForUser({ logIn }: { readonly logIn: LogInByBackchannel }) {
  return function exchangeForUser(
    exchange: Exchange,
    { user, connection, target, executionId }: ExchangedFor,
  ): Promise<TokenResponse> {
    return logIn(exchange, {
      protocol: 'oauth2-token-exchange',
      connection,
      user,
      target,
      scope: exchange.parameters.get('scope') ?? '',
      methods: [],
      gty: exchange.grantType,
      event: ({ userId, email, username }) => ({
        ...exchangeEvent(exchange),
        type: 'customTokenExchanged',
        userId,
        userName: email ?? username ?? userId,
        connection: connection.name,
        connectionId: connection.id,
        details: { actions: { executions: [executionId] } },
      }),
      ended: () => oauthErrors.userBlocked(),
    });
  };
}

export type ExchangeForUser = ReturnType<typeof createExchangeForUser>;
