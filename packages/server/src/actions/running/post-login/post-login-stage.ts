import type { Transact } from '../../../db/transact.ts';
import { isObject, type Json, numberOf, objectOf, textOf } from '../../../kit/json-values.ts';
import type { AuditEvent, RecordEvent } from '../../../logs/event.ts';
import { describedAs, explained } from '../../../logs/explain-error.ts';
import { executionDetails } from '../../../pipeline/execution-details.ts';
import type { KnownFacts } from '../../../pipeline/login-facts.ts';
import type { Decisions, Stage, StageOutcome, Suspended } from '../../../pipeline/outcome.ts';
import { deniedBy, pipelineErrors } from '../../../pipeline/pipeline-errors.ts';
import { recordWarning } from '../../../pipeline/record-warning.ts';
import type { SessionListStore } from '../../../sessions/session-list-store.ts';
import type { SessionStore } from '../../../sessions/session-store.ts';
import { isWithinLimits, mergeMetadata } from '../../../users/metadata.ts';
import type { UserStore } from '../../../users/user-store.ts';
import type { DeployedActions, RunnableAction } from '../../deployed-actions.ts';
import { type PostLogin, putTogether } from './post-login-commands.ts';
import { postLoginEvent } from './post-login-event.ts';
import type { RunTrigger } from '../run-trigger.ts';

interface Stores {
  readonly users: Pick<UserStore, 'lock' | 'update'>;
  readonly sessions: Pick<SessionStore, 'end'>;
  readonly sessionLists: Pick<SessionListStore, 'changeMetadata'>;
  readonly tokenGrants: {
    revoke(tenantId: string, grantId: string, now: Date): Promise<unknown>;
    revokeOfSession(tenantId: string, sessionId: string, now: Date): Promise<unknown>;
  };
}

interface Parts {
  readonly deployed: Pick<DeployedActions, 'atTrigger'>;
  readonly runTrigger: RunTrigger;
  readonly transact: Transact<Stores>;
  readonly recordAlone: RecordEvent;
  readonly now: () => Date;
}

const TRIGGER = 'post-login';

/** post-login: all bound actions in one job; what they asked for becomes decisions, or ends the login. */
export function createPostLoginStage({ deployed, runTrigger, transact, recordAlone, now }: Parts): Stage {
  async function run(
    facts: KnownFacts,
    before: Decisions,
    memory: Suspended['memory'] | undefined,
  ): Promise<StageOutcome> {
    const { tenant } = facts;
    const actions = await deployed.atTrigger(tenant.tenantId, TRIGGER);
    const from = memory && positionOf(actions, memory);
    if (memory && from === undefined) return { kind: 'denied', error: pipelineErrors.failed() };
    const known = objectOf(memory?.transaction);
    const outcome = await runTrigger({
      tenant,
      triggerId: TRIGGER,
      actions,
      input: {
        event: postLoginEvent(facts, known),
        canRedirect: facts.flow === 'browser',
        executedRules: before.rules,
        ...(from !== undefined && { from }),
      },
      about: aboutOf(facts),
    });
    const ran = { ...before.executions, actions: [...(before.executions?.actions ?? []), outcome.executionId] };
    const executions = executionDetails(ran);
    if (outcome.failure) {
      const isPassing = ['recycled', 'busy', 'circuit_open', 'unavailable'].includes(outcome.failure.kind);
      const error = isPassing ? pipelineErrors.unavailable() : pipelineErrors.failed();
      return { kind: 'denied', error: explained(error, executions) };
    }
    const login = putTogether(outcome.commands, before, known);
    if (login.ignored.length > 0)
      await recordWarning(
        recordAlone,
        facts,
        `Actions asked for what is not supported here: ${[...new Set(login.ignored)].join(', ').slice(0, 1_000)}`,
        executions,
      );
    // Also where the login ends here: what an action wrote down, it has written down.
    if (!(await flush(facts, login))) return { kind: 'denied', error: explained(pipelineErrors.failed(), executions) };
    if (login.denial !== undefined) {
      const denied = deniedBy(undefined, login.denial);
      return {
        kind: 'denied',
        error: explained(describedAs(denied, outcome.withoutSecrets(denied.message)), executions),
      };
    }
    return decide(facts, login, actions, { ...before, executions: ran });
  }

  /** False where the metadata is more than a user may have. */
  async function flush({ tenant, user, session, refreshToken }: KnownFacts, login: PostLogin): Promise<boolean> {
    const { userMetadata, appMetadata, sessionMetadata, empties, revokesSession, revokesRefreshToken } = login;
    const changesSession = session !== undefined && (empties || Object.keys(sessionMetadata).length > 0);
    const changesUser = Object.keys(userMetadata).length + Object.keys(appMetadata).length > 0;
    if (!changesUser && !changesSession && !revokesSession && !revokesRefreshToken) return true;
    const { tenantId } = tenant;
    return transact(async ({ users, sessions, sessionLists, tokenGrants }) => {
      if (changesSession)
        await sessionLists.changeMetadata(tenantId, session.sessionId, { change: sessionMetadata, empties });
      if (revokesSession && session) {
        await sessions.end(tenantId, { sessionId: session.sessionId }, 'session-revoked', now());
        if (!login.preservesTokens) await tokenGrants.revokeOfSession(tenantId, session.sessionId, now());
      }
      if (revokesRefreshToken && refreshToken) await tokenGrants.revoke(tenantId, refreshToken.grantId, now());
      const person = changesUser ? await users.lock(tenantId, user.userId) : undefined;
      if (!person) return true;
      const after = {
        ...person,
        userMetadata: merged(person.userMetadata, userMetadata),
        appMetadata: merged(person.appMetadata, appMetadata),
      };
      if (!isWithinLimits(after.userMetadata) || !isWithinLimits(after.appMetadata)) return false;
      await users.update(tenantId, after);
      return true;
    });
  }

  return {
    name: 'actions',
    isUsed: async (tenantId) => (await deployed.atTrigger(tenantId, TRIGGER)).length > 0,
    run,
  };
}

function decide(
  facts: KnownFacts,
  login: PostLogin,
  actions: readonly RunnableAction[],
  before: Decisions,
): StageOutcome {
  const { redirect, subjects, transactionMetadata } = login;
  const executions = executionDetails(before.executions);
  const [subject] = subjects;
  // Once, and not beside a rule: of two answers to whose tokens these are, none is right.
  if (
    subjects.length > 1 ||
    (subject !== undefined && before.subject !== undefined && before.subject !== facts.user.userId)
  )
    return {
      kind: 'denied',
      error: explained(pipelineErrors.wrongSubject(), { ...executions, primary_users: subjects }),
    };
  const factor = login.factor ?? before.factor;
  const decisions: Decisions = {
    ...login.decisions,
    ...(before.executions && { executions: before.executions }),
    ...(subject !== undefined && { subject }),
    ...(factor && { factor }),
  };
  if (!redirect) return { kind: 'decided', decisions };
  const action = actions[redirect.action];
  const memory = { action: action?.id, position: redirect.action, transaction: transactionMetadata };
  return { kind: 'redirect', url: redirect.url, suspended: { stage: 'actions', decisions, memory } };
}

/** The action that sent the user away goes on; bindings may have changed meanwhile. */
function positionOf(actions: readonly RunnableAction[], { action, position }: Suspended['memory']): number | undefined {
  const id = textOf(action);
  const known = numberOf(position) ?? -1;
  if (actions[known]?.id === id) return known;
  const found = actions.findIndex((one) => one.id === id);
  return found < 0 ? undefined : found;
}

function merged(metadata: Json, change: Json): Json {
  return isObject(change) && Object.keys(change).length > 0 ? mergeMetadata(metadata, change) : metadata;
}

function aboutOf({ request, client, connection, user }: KnownFacts): Omit<AuditEvent, 'type'> {
  return {
    ip: request.ip,
    userAgent: request.userAgent,
    hostname: request.hostname,
    clientId: client.clientId,
    clientName: client.name,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    userId: user.userId,
    userName: user.email ?? user.username ?? user.userId,
  };
}
