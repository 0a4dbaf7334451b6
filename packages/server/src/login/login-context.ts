import type { FastifyRequest } from 'fastify';
import type { Client } from '../clients/client.ts';
import type { Connection } from '../connections/connection.ts';
import type { TenantCookie } from '../http/cookies.ts';
import { equalSecrets, keyedDigest } from '../kit/digest.ts';
import type { AuditEvent } from '../logs/event.ts';
import type { LoginRequest } from '../oauth/authorize/authorization-request.ts';
import { authorizeErrors, authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { Answer } from '../oauth/authorize/proceed.ts';
import { queryForm } from '../oauth/parameters.ts';
import type { Suspended } from '../pipeline/outcome.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { ContinuationStore } from './continuation-store.ts';
import { continueErrors, continueState } from './continue-state.ts';
import type { LoginPurposes, OpenPurpose } from './login-purposes.ts';
import type { LoginKey, LoginTransaction, LoginTransactionStore } from './login-transaction-store.ts';
import { postedForm } from './posted-form.ts';

/** Whether a form is about who the user is, or comes after that. `continued`: the browser comes from a page of somebody else's. */
export type LoginStage = 'login' | 'known-user' | 'continued';

/** A login under way, in the browser that began it, and what it is for. */
export interface FoundLogin {
  readonly key: LoginKey;
  readonly transaction: LoginTransaction;
  readonly purpose: OpenPurpose;
  /** Of the posted form; none where a page is asked for. */
  readonly fields: Readonly<Record<string, string>>;
  /** What tenant code wants to find again at /continue. */
  readonly suspended?: Suspended;
}

/** One step of a login: the request that it answers, checked again, and the directory to look into. */
export interface LoginContext extends FoundLogin {
  readonly request: LoginRequest;
  readonly answer: Answer;
  readonly connection: Connection;
  readonly csrfToken: string;
}

interface Parts {
  readonly browserCookie: TenantCookie;
  readonly transactions: Pick<LoginTransactionStore, 'find'>;
  readonly continuations: Pick<ContinuationStore, 'claim'>;
  readonly purposes: LoginPurposes;
  readonly connectionsOfClient: (tenantId: string, client: Client) => Promise<readonly Connection[]>;
  readonly now: () => Date;
}

export type LoginContexts = ReturnType<typeof createLoginContexts>;

export function createLoginContexts({
  browserCookie,
  transactions,
  continuations,
  purposes,
  connectionsOfClient,
  now,
}: Parts) {
  /** The login that a request goes on with. A posted form needs the token that only our page has, too, and our own origin (attack L6). */
  async function find(http: FastifyRequest, stage: LoginStage): Promise<FoundLogin> {
    if (stage === 'continued') return atContinue(http);
    if (http.method !== 'POST') return byState(http, queryForm(http).values.state, {});
    const fields = postedForm(http);
    const login = await byState(http, fields.state ?? queryForm(http).values.state, fields);
    if (!equalSecrets(fields._csrf ?? '', csrfTokenOf(login.key))) throw authorizePageErrors.foreignOrigin();
    // Checked before a password is: a form that comes twice would else try passwords without an end.
    if ((login.transaction.sessionId !== undefined) !== (stage === 'known-user')) throw authorizePageErrors.expired();
    return login;
  }

  async function byState(
    http: FastifyRequest,
    state: string | undefined,
    fields: FoundLogin['fields'],
  ): Promise<FoundLogin> {
    if (!state || state.length > 256) throw authorizePageErrors.expired();
    const browser = browserCookie.read(http);
    if (!browser) throw authorizePageErrors.cookiesMissing();
    const key = { state, browser };
    const transaction = await transactions.find(http.tenant.tenantId, key, now());
    if (!transaction) throw authorizePageErrors.expired();
    return { key, transaction, purpose: await open(http, transaction), fields };
  }

  /** The page that sends the browser back is somebody else's: the state and this browser's cookie say which login it is. */
  async function atContinue(http: FastifyRequest): Promise<FoundLogin> {
    const state = continueState(http);
    const browser = browserCookie.read(http);
    if (!state) throw continueErrors.invalidState();
    // Without a look at the state: a stranger learns nothing of it.
    if (!browser) throw continueErrors.noCookie();
    const key = { state, browser };
    const transaction = await continuations.claim(http.tenant.tenantId, key, now());
    if (!transaction) throw continueErrors.invalidState();
    if (transaction === 'otherVersion') throw continueErrors.otherVersion();
    const { suspended } = transaction;
    return { key, transaction, purpose: await open(http, transaction), fields: {}, suspended };
  }

  function open(http: FastifyRequest, { kind, request }: LoginTransaction): Promise<OpenPurpose> {
    http.visit = { uiLocales: request.ui_locales };
    return purposes[kind].open(http, request);
  }

  /** What fails here ends the login: the client, its connections or the API may have changed since it began. */
  async function check(http: FastifyRequest, login: FoundLogin): Promise<LoginContext> {
    const { tenant } = http;
    const { request, answer } = await login.purpose.check();
    http.visit = { ...http.visit, client: request.client };
    const connection = await directoryOf(tenant, request);
    return { ...login, request, answer, connection, csrfToken: csrfTokenOf(login.key) };
  }

  /** The directory that the page asks: the one that the client named, the tenant's default, or the client's first. */
  async function directoryOf(tenant: Tenant, { client, connection }: LoginRequest): Promise<Connection> {
    if (connection) return connection;
    const enabled = (await connectionsOfClient(tenant.tenantId, client)).filter(({ strategy }) => strategy === 'auth0');
    const chosen = enabled.find(({ name }) => name === tenant.settings.default_directory) ?? enabled[0];
    if (!chosen) throw authorizeErrors.noConnection();
    return chosen;
  }

  return { find, check };
}

function csrfTokenOf({ state, browser }: LoginKey): string {
  return keyedDigest(Buffer.from(browser), `csrf ${state}`);
}

/** Members that every event of a login step has. */
export function loginEvent(
  http: FastifyRequest,
  { request: { client, target, scope }, connection }: Pick<LoginContext, 'request' | 'connection'>,
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
