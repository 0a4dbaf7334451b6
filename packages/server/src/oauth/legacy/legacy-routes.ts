import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Client } from '../../clients/client.ts';
import { defineErrors } from '../../kit/errors.ts';
import type { RecordEvent } from '../../logs/event.ts';
import { bodyParameters } from '../parameters.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

/** Endpoints from before OpenID Connect. They are switched off, and tell SDKs so in the words that these compare. */
const RETIRED: readonly { readonly path: string; readonly name: string }[] = [
  { path: '/oauth/ro', name: '/oauth/ro' },
  { path: '/oauth/access_token', name: '/oauth/access_token' },
  { path: '/delegation', name: '/delegation' },
  { path: '/users/:id/impersonate', name: '/impersonate' },
];

const legacyErrors = defineErrors({
  missing: { status: 400, code: 'invalid_request', message: 'missing client_id parameter' },
  unknownClient: { status: 403, code: 'unauthorized_client', message: 'invalid client' },
  retired: { status: 400, code: 'invalid_request', message: 'OIDC conformant clients cannot use {name}' },
});

const HOUR = 3_600_000;

/** Authentication-api sections 0.1 and 12. An application that still calls them is told to its operator once an hour. */
export function legacyRoutes(app: FastifyInstance, { findClient, recordAlone, now }: Parts): void {
  const told = new LRUCache<string, number>({ max: 10_000 });

  for (const { path, name } of RETIRED) {
    app.post(path, { config: { errors: 'oauth' }, bodyLimit: 65_536 }, async (request) => {
      const clientId = bodyParameters(request).get('client_id');
      if (clientId === undefined) throw legacyErrors.missing();
      const client = await findClient(request.tenant.tenantId, clientId);
      if (!client || client.isGlobal) throw legacyErrors.unknownClient();
      await tell(request, client, name);
      throw legacyErrors.retired({ name });
    });
  }

  async function tell({ tenant, requester }: FastifyRequest, client: Client, name: string): Promise<void> {
    const place = `${tenant.tenantId} ${client.clientId} ${name}`;
    const time = now().getTime();
    if (time - (told.get(place) ?? 0) < HOUR) return;
    told.set(place, time);
    await recordAlone(tenant.tenantId, {
      ...requester,
      type: 'deprecatedFeatureUsed',
      clientId: client.clientId,
      clientName: client.name,
      description: `The endpoint ${name} is switched off.`,
    });
  }
}
