import type { Connection } from '../../connections/connection.ts';
import { describe, explanation, type ScriptFailure, toldToUser } from '../../custom-databases/script-failure.ts';
import type { AuditEvent, RecordEvent } from '../../logs/event.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import { knownUserOf, type PasswordAuthentication } from '../../users/password-authentication.ts';
import type { AccessResolver } from '../access/resolve-access.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { Parameters } from '../parameters.ts';
import type { LogInByBackchannel } from './backchannel-login.ts';
import { type Exchange, exchangeEvent, type Grant } from './token-grant.ts';

interface Parts {
  readonly access: Pick<AccessResolver, 'target'>;
  readonly authenticate: PasswordAuthentication;
  readonly findConnectionByName: (tenantId: string, name: string) => Promise<Connection | undefined>;
  readonly findConnectionByRealm: (tenantId: string, realm: string) => Promise<Connection | undefined>;
  readonly logIn: LogInByBackchannel;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

export const PASSWORD_REALM = 'http://auth0.com/oauth/grant-type/password-realm';

/** password (RFC 6749 section 4.3) and password-realm: authentication-api section 3.3. */
export function passwordGrant(parts: Parts): Grant {
  const { access, authenticate, logIn, recordAlone, now } = parts;

  async function exchange(exchange: Exchange) {
    const { tenant, client, parameters, grantType } = exchange;
    // Auth0 gives this grant to the tenant's own applications alone; a stranger's must not see passwords.
    if (!client.isFirstParty) throw oauthErrors.grantNotAllowed({ grantType });
    const username = parameters.require('username');
    const password = parameters.require('password');
    const connection = await findConnection(tenant, parameters.get('realm'), grantType);
    if (!connection.enabledClients.includes(client.clientId)) throw oauthErrors.connectionNotEnabled();
    const target = await access.target(tenant, parameters.get('audience'), () =>
      oauthErrors.audienceUnknownForPassword(),
    );

    const outcome = await authenticate(tenant, connection, username, password, exchangeEvent(exchange));
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
        details: refusalDetails(error.message, parameters, connection),
      });
      throw error;
    }
    if (outcome.outcome === 'directoryFailed') throw await directoryFailed(tenant, event, outcome.failure);
    if (outcome.outcome === 'blocked') throw oauthErrors.userBlocked();

    return logIn(exchange, {
      protocol: 'oauth2-password',
      connection,
      user: outcome.user,
      target,
      scope: parameters.get('scope'),
      methods: [{ name: 'pwd', timestamp: now().toISOString() }],
      gty: 'password',
      event: ({ userId }) => ({ ...event, userId, type: 'passwordExchanged' }),
      ended: () => oauthErrors.wrongCredentials(),
    });
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

/** As receivers of these events know them since long: what was asked, and in what words it was refused. */
function refusalDetails(message: string, { all }: Parameters, { name }: Connection) {
  const error = { message, oauthError: message, type: 'invalid_user_password' };
  return { error, body: { ...all, connection: name }, qs: {}, connection: name };
}
