import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transact } from '../db/transact.ts';
import { DeclaredError } from '../kit/errors.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import { aboutOf, descriptionOf, type Explanation, explanationOf } from '../logs/explain-error.ts';
import { authorizePageErrors } from '../oauth/authorize/authorize-errors.ts';
import type { LivingSession } from '../oauth/authorize/find-session.ts';
import { whoLogsIn } from '../pipeline/record-warning.ts';
import type { FoundLogin, LoginContext, LoginContexts, LoginStage } from './login-context.ts';
import type { LoginTransactionStore } from './login-transaction-store.ts';
import type { Counted } from './refusal-quota.ts';

export interface GuardStores {
  readonly loginTransactions: Pick<LoginTransactionStore, 'remove'>;
  readonly record: RecordEvent;
}

export interface GuardParts {
  readonly contexts: LoginContexts;
  readonly transact: Transact<GuardStores>;
  readonly recordAlone: RecordEvent;
  /** Where requests that name no login would else be as many events. */
  readonly countUnknown?: (http: FastifyRequest) => Counted | undefined;
}

/** Ends the login: the application is told, with what is known of the user in the event. */
export type Refuse = (error: DeclaredError, known?: Omit<AuditEvent, 'type'>) => Promise<FastifyReply>;

type Step = (context: LoginContext, refuse: Refuse) => Promise<FastifyReply>;

const MALFORMED = 'invalid-request';

/** Bookmarks and the back button lead to logins that are over: pages say so, and nobody attempted anything. */
const STALE: ReadonlySet<string | undefined> = new Set(['transaction-expired', 'cookies-missing']);

/**
 * Runs a step of a login. What ends the whole login is told to who asked for it, the rest to the user on a page; each
 * refusal is one event.
 */
export function guardLogin({ contexts, recordAlone, transact, countUnknown = () => ({}) }: GuardParts) {
  return async function guard(
    http: FastifyRequest,
    reply: FastifyReply,
    step: Step,
    stage: LoginStage = 'login',
  ): Promise<FastifyReply> {
    const login = await findOrRecord(http, stage);
    const { client } = login.purpose;
    const known = { clientId: client.clientId, clientName: client.name };
    const refuse: Refuse = async (error, ofUser = {}) => {
      const event = failure(http, error, { ...known, ...ofUser });
      // Of those who end it at once one is told; nothing comes back to a login that was judged.
      if (!(await end(http, login, event))) throw authorizePageErrors.expired();
      return login.purpose.refuse(http, reply, error);
    };
    let context: LoginContext;
    try {
      context = await contexts.check(http, login);
    } catch (error) {
      // The client, its connections or the API have changed since the login began.
      if (error instanceof DeclaredError && error.status < 500) return refuse(error);
      throw error;
    }
    try {
      return await step(context, refuse);
    } catch (error) {
      if (isAttempt(http, error)) await recordAlone(http.tenant.tenantId, failure(http, error, known));
      throw error;
    }
  };

  function end({ tenant: { tenantId } }: FastifyRequest, { key }: FoundLogin, event: AuditEvent): Promise<boolean> {
    return transact(async ({ loginTransactions, record }) => {
      if (!(await loginTransactions.remove(tenantId, key.state))) return false;
      await record(tenantId, event);
      return true;
    });
  }

  async function findOrRecord(http: FastifyRequest, stage: LoginStage): Promise<FoundLogin> {
    try {
      return await contexts.find(http, stage);
    } catch (error) {
      if (!isAttempt(http, error)) throw error;
      const counted = countUnknown(http);
      if (counted) await recordAlone(http.tenant.tenantId, failure(http, error, {}, { ...counted }));
      throw error;
    }
  }
}

/** Whom a login that is refused was about. Their session stays. */
export function whoWas(living: LivingSession): Omit<AuditEvent, 'type'> {
  return { ...whoLogsIn(living), details: { session_id: living.session.sessionId } };
}

function isAttempt(http: FastifyRequest, error: unknown): error is DeclaredError {
  if (!(error instanceof DeclaredError) || error.status >= 500) return false;
  // Bytes that are no form came from no page of ours: whoever sends them could flood the log with them.
  if (error.code === MALFORMED) return false;
  return http.method === 'POST' || !STALE.has(error.code);
}

function failure(
  { requester }: FastifyRequest,
  error: DeclaredError,
  known: Omit<AuditEvent, 'type'>,
  details: Explanation = {},
): AuditEvent {
  return {
    ...requester,
    ...aboutOf(error),
    ...known,
    type: 'loginFailed',
    description: descriptionOf(error),
    details: {
      error: { message: descriptionOf(error), oauthError: error.code },
      ...explanationOf(error),
      ...known.details,
      ...details,
    },
  };
}
