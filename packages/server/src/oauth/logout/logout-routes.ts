import type { FastifyInstance } from 'fastify';
import type { Client } from '../../clients/client.ts';
import { queryForm, queryParameters } from '../parameters.ts';
import type { FinishLogout } from './finish-logout.ts';
import { checkLogoutUrl, clientOfLogout } from './logout-target.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly finishLogout: FinishLogout;
}

/**
 * GET /v2/logout: authentication-api section 7. The session ends only where the address to return to is allowed.
 * `federated`, with any value or none, changes nothing: users of directories have no session elsewhere that could end as well.
 */
export function logoutRoutes(app: FastifyInstance, { findClient, finishLogout }: Parts): void {
  app.get('/v2/logout', { config: { errors: 'page' } }, async (request, reply) => {
    const logout = await finishLogout.orRecord(request, queryForm(request).values.returnTo, async (known) => {
      const parameters = queryParameters(request);
      const client = await clientOfLogout(findClient, request, parameters.get('client_id'));
      known(client);
      return { client, location: checkLogoutUrl(request.tenant, client, 'returnTo', parameters.get('returnTo')) };
    });
    return finishLogout.finish(request, reply, logout);
  });
}
