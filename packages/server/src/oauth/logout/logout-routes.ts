import type { FastifyInstance, FastifyRequest } from 'fastify';
import { matchesUrl } from '../../clients/callback-match.ts';
import { type Client, matchRules } from '../../clients/client.ts';
import type { Transact } from '../../db/transact.ts';
import type { TenantCookie } from '../../http/cookies.ts';
import { DeclaredError, defineErrors } from '../../kit/errors.ts';
import type { SendPage } from '../../login/send-page.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import { queryForm, queryParameters } from '../parameters.ts';

interface Parts {
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly sessionCookie: TenantCookie;
  readonly transact: Transact<{ sessions: Pick<SessionStore, 'end'>; record: RecordEvent }>;
  readonly recordAlone: RecordEvent;
  readonly sendPage: SendPage;
  readonly now: () => Date;
}

export const logoutErrors = defineErrors({
  unknownClient: { status: 400, code: 'unknown-client', message: 'Unknown client: {clientId}' },
  urlMismatch: {
    status: 400,
    code: 'logout-url-mismatch',
    message:
      'The "returnTo" querystring parameter "{returnTo}" is not defined as a valid URL in "Allowed Logout URLs".',
  },
});

/** GET /v2/logout: authentication-api section 7. The session ends only where the address to return to is allowed. */
export function logoutRoutes(
  app: FastifyInstance,
  { findClient, sessionCookie, transact, recordAlone, sendPage, now }: Parts,
): void {
  app.get('/v2/logout', { config: { errors: 'page' } }, async (request, reply) => {
    const { tenant, requester } = request;
    const { client, returnTo } = await checkedOrRecorded(request);
    const cookie = sessionCookie.read(request);
    if (cookie) {
      await transact(async ({ sessions, record }) => {
        const [ended] = await sessions.end(tenant.tenantId, { cookie }, 'rp-logout', now());
        if (!ended) return;
        await record(tenant.tenantId, {
          ...requester,
          type: 'loggedOut',
          ...(client && { clientId: client.clientId, clientName: client.name }),
          userId: ended.userId,
          details: { session_id: ended.sessionId, ...(returnTo && { return_to: returnTo }) },
        });
      });
    }
    sessionCookie.clear(request, reply);
    reply.header('cache-control', 'no-store');
    if (returnTo) return reply.redirect(returnTo, 302);
    // Auth0 answers the text OK; people who follow a link see a page instead.
    if (!(request.headers.accept ?? '').includes('text/html'))
      return reply.type('text/plain; charset=utf-8').send('OK');
    return sendPage(request, reply, 'logged-out', client ? { clientName: client.name } : {});
  });

  async function checkedOrRecorded(request: FastifyRequest) {
    let client: Client | undefined;
    try {
      const parameters = queryParameters(request);
      client = await clientOf(request, parameters.get('client_id'));
      return { client, returnTo: checkReturnTo(request, client, parameters.get('returnTo')) };
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.status >= 500) throw error;
      const given = queryForm(request).values.returnTo;
      await recordAlone(request.tenant.tenantId, {
        ...request.requester,
        type: 'logoutFailed',
        description: error.message,
        ...(client && { clientId: client.clientId, clientName: client.name }),
        details: {
          ...(given && { return_to: given.slice(0, 512) }),
          allowed_logout_url: allowedUrls(request.tenant, client).slice(0, 20),
        },
      });
      throw error;
    }
  }

  async function clientOf({ tenant }: FastifyRequest, clientId: string | undefined): Promise<Client | undefined> {
    if (clientId === undefined) return undefined;
    const client = await findClient(tenant.tenantId, clientId);
    if (!client || client.isGlobal) throw logoutErrors.unknownClient({ clientId: clientId.slice(0, 128) });
    return client;
  }

  /** With a client its list counts, without one the tenant's; a client without returnTo means its first entry. */
  function checkReturnTo(
    { tenant }: FastifyRequest,
    client: Client | undefined,
    given: string | undefined,
  ): string | undefined {
    const allowed = allowedUrls(tenant, client);
    if (given === undefined) return client ? allowed.find((url) => !url.includes('*')) : undefined;
    const rules = client
      ? matchRules(client, tenant)
      : { wildcards: true, localhostAny: tenant.environment !== 'production' };
    if (matchesUrl(allowed, given, { ...rules, ignoreQuery: true })) return given;
    throw logoutErrors.urlMismatch({ returnTo: given.slice(0, 512) });
  }
}

function allowedUrls(tenant: Tenant, client: Client | undefined): readonly string[] {
  return client ? client.allowedLogoutUrls : settingsOf(tenant).allowedLogoutUrls;
}
