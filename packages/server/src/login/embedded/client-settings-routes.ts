import type { FastifyInstance } from 'fastify';
import type { Client } from '../../clients/client.ts';
import { type Connection, identifiersOf, isSignupOpen, usernameBounds } from '../../connections/connection.ts';
import { requestErrors } from '../../http/render-error.ts';
import { type PasswordOptions, passwordRequirements } from '../../passwords/password-options.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly connectionsOfClient: (tenantId: string, client: Client) => Promise<readonly Connection[]>;
}

const CACHE_SECONDS = 60;

/**
 * GET /client/<client_id>.js: what Lock asks a CDN for, here from the tenant itself (Lock's option configurationBaseUrl,
 * authentication-api section 10). Public, like the login page that tells the same.
 */
export function clientSettingsRoutes(app: FastifyInstance, { findClient, connectionsOfClient }: Parts): void {
  app.get<{ Params: { file: string } }>('/client/:file', async (http, reply) => {
    const clientId = /^([A-Za-z0-9_-]{1,128})\.js$/.exec(http.params.file)?.[1];
    const { tenantId } = http.tenant;
    const client = clientId === undefined ? undefined : await findClient(tenantId, clientId);
    if (!client || client.isGlobal || client.isSystem) throw requestErrors.notFound();
    const connections = (await connectionsOfClient(tenantId, client)).filter(({ isSystem }) => !isSystem);
    const strategies = [...Map.groupBy(connections, ({ strategy }) => strategy)].map(([name, own]) => ({
      name,
      connections: own.map(connectionSettings),
    }));
    const settings = { id: client.clientId, tenant: tenantId, subscription: 'enterprise', strategies };
    return reply
      .headers({
        'cache-control': `public, max-age=${CACHE_SECONDS}`,
        // Pages of other sites load it as a script: that is what it is for.
        'cross-origin-resource-policy': 'cross-origin',
      })
      .type('application/javascript; charset=utf-8')
      .send(`Auth0.setClient(${JSON.stringify(settings)});`);
  });
}

function connectionSettings(connection: Connection) {
  const { options } = connection;
  const { min, max } = usernameBounds(connection);
  return {
    name: connection.name,
    ...(connection.displayName && { display_name: connection.displayName }),
    passwordPolicy: typeof options.passwordPolicy === 'string' ? options.passwordPolicy : 'none',
    password_complexity_options: { min_length: passwordRequirements(options as PasswordOptions).minLength },
    showSignup: isSignupOpen(connection),
    showForgot: true,
    requires_username: identifiersOf(connection).has('username'),
    validation: { username: { min, max } },
  };
}
