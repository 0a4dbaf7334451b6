import type { Client } from '../../clients/client.ts';
import type { Form } from '../../http/form.ts';
import { digest } from '../../kit/digest.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { PushedRequestStore } from '../par/pushed-request-store.ts';
import { authorizeErrors } from './authorize-errors.ts';
import type { ReadRequestObject } from './request-object.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly pushedRequests: Pick<PushedRequestStore, 'take'>;
  readonly readRequestObject: ReadRequestObject;
  readonly now: () => Date;
}

/** Names of pushed requests. Other URIs are refused unread: nothing is ever fetched (RFC 9101 section 10.4.1, attack E1). */
export const REQUEST_URI_PREFIX = 'urn:ietf:params:oauth:request_uri:';

/**
 * The parameters that count: those that the client pushed, those that it signed, or those that the browser brings. What
 * stands beside a pushed or signed request means nothing (RFC 9101 section 6.3), so it can override nothing.
 */
export function createRequestResolver({ findClient, pushedRequests, readRequestObject, now }: Parts) {
  return async function resolveRequest(tenant: Tenant, origin: string, form: Form): Promise<Form> {
    const { client_id: clientId, request, request_uri: uri } = form.values;
    // The checks that follow tell what is wrong with such a request.
    if (!clientId || !form.wellFormed || form.repeated.length > 0) return form;
    const client = await findClient(tenant.tenantId, clientId);
    if (!client || client.isStrictThirdParty) return form;
    if (request && uri) throw authorizeErrors.invalidRequest({ reason: 'request and request_uri exclude each other' });
    if (uri) {
      if (!uri.startsWith(REQUEST_URI_PREFIX)) throw authorizeErrors.requestUriNotSupported();
      const pushed = await pushedRequests.take(tenant.tenantId, clientId, digest(uri), now());
      if (!pushed) throw authorizeErrors.invalidRequestUri();
      return formOf(pushed);
    }
    if (client.pushedRequests.isRequired) throw authorizeErrors.pushedRequestRequired();
    if (request) return formOf(await readRequestObject(request, { tenantId: tenant.tenantId, client, origin }));
    if (client.requestObject?.isRequired) throw authorizeErrors.requestObjectRequired();
    return form;
  };
}

export type ResolveRequest = ReturnType<typeof createRequestResolver>;

export function formOf(values: Readonly<Record<string, string>>): Form {
  return { values: Object.assign(Object.create(null), values), repeated: [], wellFormed: true };
}
