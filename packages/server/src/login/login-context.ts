import type { FastifyRequest } from 'fastify';
import type { Connection } from '../connections/connection.ts';
import { FormBody } from '../http/body-parsers.ts';
import type { TenantCookie } from '../http/cookies.ts';
import { equalSecrets, keyedDigest } from '../kit/digest.ts';
import type { AuditEvent } from '../logs/event.ts';
import type { AuthorizationRequest } from '../oauth/authorize/authorization-request.ts';
import type { AuthorizationChecks } from '../oauth/authorize/authorize.ts';
import { authorizeErrors, authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import { queryForm } from '../oauth/parameters.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { LoginKey, LoginTransaction, LoginTransactionStore } from './login-transaction-store.ts';

/** One step of a login: the browser's transaction, the request that it answers, and the directory to look into. */
export interface LoginContext {
  readonly key: LoginKey;
  readonly transaction: LoginTransaction;
  readonly request: AuthorizationRequest;
  readonly csrfToken: string;
}

interface Parts {
  readonly browserCookie: TenantCookie;
  readonly transactions: Pick<LoginTransactionStore, 'find'>;
  readonly checks: AuthorizationChecks;
  readonly connectionsOfClient: (tenantId: string, clientId: string) => Promise<readonly Connection[]>;
  readonly now: () => Date;
}

export type LoginContexts = ReturnType<typeof createLoginContexts>;

export function createLoginContexts({ browserCookie, transactions, checks, connectionsOfClient, now }: Parts) {
  /** The step that a `state` names, for the browser that began it. The request is checked again: its client may have changed. */
  async function open(http: FastifyRequest, state: string | undefined): Promise<LoginContext> {
    if (!state || state.length > 256) throw authorizePageErrors.expired();
    const browser = browserCookie.read(http);
    if (!browser) throw authorizePageErrors.cookiesMissing();
    const key = { state, browser };
    const transaction = await transactions.find(http.tenant.tenantId, key, now());
    if (!transaction) throw authorizePageErrors.expired();
    const form = { values: transaction.request, repeated: [], wellFormed: true };
    const address = await checks.returnAddress(http.tenant, form);
    const request = await checks.authorizationRequest(http.tenant, address, form);
    return { key, transaction, request, csrfToken: csrfTokenOf(key) };
  }

  /** The step of a posted form: besides the cookie it needs the token that only our page has, and our own origin (attack L6). */
  async function openPosted(
    http: FastifyRequest,
  ): Promise<{ context: LoginContext; fields: Readonly<Record<string, string>> }> {
    const { origin } = http.headers;
    if (origin !== undefined && origin !== http.origin) throw authorizePageErrors.foreignOrigin();
    const form = http.body instanceof FormBody ? http.body.form : undefined;
    if (!form?.wellFormed || form.repeated.length > 0)
      throw authorizePageErrors.malformed({ reason: 'The form is malformed' });
    const context = await open(http, form.values.state ?? queryForm(http).values.state);
    if (!equalSecrets(form.values._csrf ?? '', context.csrfToken)) throw authorizePageErrors.foreignOrigin();
    return { context, fields: form.values };
  }

  /** The directory that the page asks: the one that the client named, the tenant's default, or the client's first. */
  async function directoryOf(tenant: Tenant, { client, connection }: AuthorizationRequest): Promise<Connection> {
    if (connection) return connection;
    const enabled = (await connectionsOfClient(tenant.tenantId, client.clientId)).filter(
      ({ strategy }) => strategy === 'auth0',
    );
    const chosen = enabled.find(({ name }) => name === tenant.settings.default_directory) ?? enabled[0];
    if (!chosen) throw authorizeErrors.noConnection();
    return chosen;
  }

  return { open, openPosted, directoryOf };
}

function csrfTokenOf({ state, browser }: LoginKey): string {
  return keyedDigest(Buffer.from(browser), `csrf ${state}`);
}

/** Members that every event of a login step has. */
export function loginEvent(
  http: FastifyRequest,
  { client, target, scope }: AuthorizationRequest,
  connection: Connection,
): Omit<AuditEvent, 'type'> {
  return {
    ...http.requester,
    clientId: client.clientId,
    clientName: client.name,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    strategyType: 'database',
    ...(target.audience && { audience: target.audience }),
    ...(scope && { scope }),
  };
}
