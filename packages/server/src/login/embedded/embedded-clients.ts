import type { FastifyRequest } from 'fastify';
import { isWebOrigin } from '../../clients/allowed-origin.ts';
import { type Client, matchRules } from '../../clients/client.ts';
import type { DeclaredError } from '../../kit/errors.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { embeddedLoginErrors } from './embedded-login-errors.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly recordAlone: RecordEvent;
}

const MAX_NAME = 128;

export type EmbeddedClients = ReturnType<typeof createEmbeddedClients>;

/** Which application's own form sends a password, and whether it may from where it stands. */
export function createEmbeddedClients({ findClient, recordAlone }: Parts) {
  return {
    async find(http: FastifyRequest, clientId: string | undefined): Promise<Client> {
      if (!clientId) throw embeddedLoginErrors.missing({ name: 'client_id' });
      const client = await findClient(http.tenant.tenantId, clientId);
      // A stranger's application must not see passwords.
      if (!client || client.isGlobal || !client.isFirstParty)
        throw embeddedLoginErrors.unknownClient({ clientId: clientId.slice(0, MAX_NAME) });
      if (!client.crossOriginAuthentication) throw embeddedLoginErrors.notAllowed();
      const { origin } = http.headers;
      // Without one no page sent it: other programs have the password grant.
      if (origin !== http.origin && !(origin && isWebOrigin(client, origin, matchRules(client, http.tenant))))
        throw embeddedLoginErrors.foreignOrigin({ origin: (origin ?? 'null').slice(0, 256) });
      return client;
    },

    async recordRefusal(
      http: FastifyRequest,
      known: { readonly clientId: string | undefined; readonly userName: string | undefined },
      error: DeclaredError,
    ): Promise<void> {
      await recordAlone(http.tenant.tenantId, {
        ...http.requester,
        type: 'crossOriginLoginFailed',
        ...(known.clientId && { clientId: known.clientId.slice(0, MAX_NAME) }),
        ...(known.userName && { userName: known.userName.slice(0, 256) }),
        description: error.message,
        details: { error: { message: error.message, oauthError: error.code } },
      });
    },
  };
}
