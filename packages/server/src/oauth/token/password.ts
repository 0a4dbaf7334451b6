import type { Connection } from '../../connections/connection.ts';
import { describe, explanation, type ScriptFailure, toldToUser } from '../../custom-databases/script-failure.ts';
import type { Transact } from '../../db/transact.ts';
import { randomAlphanumeric } from '../../kit/ids.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import { knownUserOf, type PasswordAuthentication } from '../../users/password-authentication.ts';
import type { UserStore } from '../../users/user-store.ts';
import { replaceScopes, tokenScopesOf } from '../access/replace-scopes.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { describeRefreshToken, newRefreshToken } from '../refresh/refresh-token.ts';
import type { RefreshTokenStore } from '../refresh/refresh-token-store.ts';
import { grantExpiry } from '../tokens/grant-expiry.ts';
import type { TokenGrantStore } from '../tokens/token-grant-store.ts';
import type { PrepareUserTokens } from '../tokens/user-tokens.ts';
import type { RunForExchange } from './run-for-exchange.ts';
import { type Exchange, exchangeEvent, type Grant } from './token-grant.ts';

interface Stores {
  readonly users: Pick<UserStore, 'recordLogin'>;
  readonly tokenGrants: TokenGrantStore;
  readonly refreshTokens: RefreshTokenStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly transact: Transact<Stores>;
  readonly access: AccessResolver;
  readonly authenticate: PasswordAuthentication;
  readonly findConnectionByName: (tenantId: string, name: string) => Promise<Connection | undefined>;
  readonly findConnectionByRealm: (tenantId: string, realm: string) => Promise<Connection | undefined>;
  readonly runForExchange: RunForExchange;
  readonly prepareTokens: PrepareUserTokens;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

export const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';

/** password (RFC 6749 section 4.3) and password-realm: authentication-api section 3.3. */
export function passwordGrant(parts: Parts): Grant {
  const { transact, access, authenticate, runForExchange, prepareTokens, recordAlone, now } = parts;

  async function exchange(exchange: Exchange) {
    const { tenant, origin, client, parameters, grantType } = exchange;
    // Auth0 gives this grant to the tenant's own applications alone; a stranger's must not see passwords.
    if (!client.isFirstParty) throw oauthErrors.grantNotAllowed({ grantType });
    const username = parameters.require('username');
    const password = parameters.require('password');
    const connection = await findConnection(tenant, parameters.get('realm'), grantType);
    if (!connection.enabledClients.includes(client.clientId)) throw oauthErrors.connectionNotEnabled();
    const target = await access.target(tenant, parameters.get('audience'), () =>
      oauthErrors.audienceUnknownForPassword(),
    );

    const outcome = await authenticate(tenant, connection, username, password);
    const event: Omit<AuditEvent, 'type'> = {
      ...exchangeEvent(exchange),
      connection: connection.name,
      connectionId: connection.id,
      strategy: connection.strategy,
      strategyType: 'database',
      userName: username.slice(0, 256),
      ...knownUserOf(outcome),
    };
    if (outcome.outcome === 'wrongPassword' || outcome.outcome === 'unknownUser') {
      const error = oauthErrors.wrongCredentials();
      const type = outcome.outcome === 'wrongPassword' ? 'wrongPassword' : 'unknownUser';
      await recordAlone(tenant.tenantId, {
        ...event,
        type,
        description: error.message,
        details: { error: { message: error.message } },
      });
      throw error;
    }
    if (outcome.outcome === 'directoryFailed') throw await directoryFailed(tenant, event, outcome.failure);
    if (outcome.outcome === 'blocked') throw oauthErrors.userBlocked();

    const asked = parameters.get('scope');
    // Before tenant code runs: it is not asked about what the client may not have.
    await access.forUser(tenant, client, outcome.user.userId, target, asked);
    const { user, additions } = await runForExchange(exchange, {
      protocol: 'oauth2-password',
      connection,
      user: outcome.user,
      session: undefined,
      target,
      scope: asked,
      loginsCount: outcome.user.loginsCount + 1,
      methods: [{ name: 'pwd', timestamp: now().toISOString() }],
    });
    const granted = replaceScopes(await access.forUser(tenant, client, user.userId, target, asked), additions.scopes);
    const time = now();
    const grantId = randomAlphanumeric(24);
    const refreshToken = granted.offline ? newRefreshToken() : undefined;
    const tokens = prepareTokens({
      tenant,
      origin,
      client,
      user,
      access: granted,
      grantId,
      gty: 'password',
      now: time,
      possession: exchange.possession,
      additions,
      ...(refreshToken && { refreshToken }),
    });
    const scope = tokenScopesOf(granted).join(' ');
    const stored = refreshToken
      ? describeRefreshToken(client, refreshToken, grantId, time, exchange.possession)
      : undefined;

    const [response] = await Promise.all([
      tokens.sign(),
      transact(async ({ users, tokenGrants, refreshTokens, record }) => {
        if ((await users.recordLogin(tenant.tenantId, user, exchange.requester.ip)) === undefined)
          throw oauthErrors.wrongCredentials();
        // Also for a JWT alone: its jti names the grant, so that introspection tells when it has ended.
        await tokenGrants.insert(tenant.tenantId, {
          grantId,
          clientId: client.clientId,
          userId: user.userId,
          connectionId: connection.id,
          sessionId: undefined,
          grantType: 'password',
          audience: granted.audience,
          scope: granted.scopes.join(' '),
          authTime: time,
          additions,
          expiresAt: grantExpiry(time, stored),
        });
        if (stored) await refreshTokens.insert(tenant.tenantId, stored, exchange.requester);
        if (tokens.opaque) await tokenGrants.insertAccessToken(tenant.tenantId, tokens.opaque);
        await record(tenant.tenantId, {
          ...event,
          userId: user.userId,
          type: 'passwordExchanged',
          ...(granted.audience && { audience: granted.audience }),
          ...(scope && { scope }),
        });
      }),
    ]);
    return response;
  }

  async function directoryFailed(tenant: Tenant, event: Omit<AuditEvent, 'type'>, failure: ScriptFailure) {
    await recordAlone(tenant.tenantId, {
      ...event,
      type: 'loginFailed',
      description: describe(failure),
      details: explanation(failure),
    });
    return toldToUser(failure);
  }

  async function findConnection(tenant: Tenant, realm: string | undefined, grantType: string): Promise<Connection> {
    if (realm !== undefined) {
      const connection = await parts.findConnectionByRealm(tenant.tenantId, realm);
      if (!connection) throw oauthErrors.connectionNotFound();
      return connection;
    }
    if (grantType === PASSWORD_REALM) throw oauthErrors.missingParameter({ name: 'realm' });
    const name = settingsOf(tenant).defaultDirectory;
    const connection = name ? await parts.findConnectionByName(tenant.tenantId, name) : undefined;
    if (!connection) throw oauthErrors.noDefaultConnection();
    return connection;
  }

  return { grantTypes: ['password', PASSWORD_REALM], failed: 'passwordExchangeFailed', exchange };
}
