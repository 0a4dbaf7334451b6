import type { Transact } from '../../db/transact.ts';
import type { TokenExchangeFacts } from '../../pipeline/login-facts.ts';
import type { AccessResolver, Target } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { LogInByBackchannel } from '../token/backchannel-login.ts';
import { type Exchange, exchangeEvent } from '../token/token-grant.ts';
import type { TokenResponse } from '../tokens/user-tokens.ts';
import type { KeepStores, PlannedUser } from './plan-user.ts';

/** Whose tokens a subject token is exchanged for. */
export interface ExchangedFor {
  readonly planned: PlannedUser;
  readonly target: Target;
  readonly facts: TokenExchangeFacts;
  /** The execution of the profile's action. */
  readonly executionId: string;
}

interface Parts {
  readonly logIn: LogInByBackchannel;
  readonly access: Pick<AccessResolver, 'forUser'>;
  readonly transact: Transact<KeepStores>;
  /** Whether rules or post-login actions run for logins of this tenant. */
  readonly hasLoginCode: (tenantId: string) => Promise<boolean>;
}

/**
 * Tokens of the user whom an action named: this is a login, and rules and post-login actions run as in others. What is made or
 * changed of the user is stored with the tokens, or not at all. One who is new is stored before that code runs: it looks
 * for the user in the Management API; nothing of ours refuses the exchange after that.
 */
export function createExchangeForUser({ logIn, access, transact, hasLoginCode }: Parts) {
  return async function exchangeForUser(exchange: Exchange, exchanged: ExchangedFor): Promise<TokenResponse> {
    const { planned, target, facts, executionId } = exchanged;
    const { tenant, client } = exchange;
    const { user, connection, isNew, keep } = planned;
    const scope = exchange.parameters.get('scope') ?? '';
    const isFirst = isNew && keep !== undefined && (await hasLoginCode(tenant.tenantId));
    if (isFirst) {
      await access.forUser(tenant, client, user.userId, target, scope);
      await transact((stores) => keep(stores, {}));
    }
    return logIn(exchange, {
      protocol: 'oauth2-token-exchange',
      connection,
      user,
      target,
      scope,
      methods: [],
      tokenExchange: facts,
      gty: exchange.grantType,
      executions: [executionId],
      ...(keep && !isFirst && { keep }),
      event: ({ userId, email, username }) => ({
        ...exchangeEvent(exchange),
        type: 'customTokenExchanged',
        userId,
        userName: email ?? username ?? userId,
        connection: connection.name,
        connectionId: connection.id,
        strategy: connection.strategy,
        strategyType: 'database',
      }),
      ended: () => oauthErrors.userBlocked(),
    });
  };
}

export type ExchangeForUser = ReturnType<typeof createExchangeForUser>;
