import { type Json, numberOf, objectOf, textOf } from '../../../kit/json-values.ts';
import type { AuditEvent, RecordEvent } from '../../../logs/event.ts';
import { describedAs, explained } from '../../../logs/explain-error.ts';
import { executionDetails } from '../../../pipeline/execution-details.ts';
import type { KnownFacts } from '../../../pipeline/login-facts.ts';
import type { Decisions, Stage, StageOutcome, Suspended } from '../../../pipeline/outcome.ts';
import { deniedBy, pipelineErrors } from '../../../pipeline/pipeline-errors.ts';
import { recordWarning } from '../../../pipeline/record-warning.ts';
import { MOST_BYTES_OF_CODE } from '../../../users/metadata.ts';
import type { DeployedActions, RunnableAction } from '../../deployed-actions.ts';
import type { ActionCommand } from '../action-commands.ts';
import { failedAction, namedAction } from '../named-action.ts';
import type { RunTrigger } from '../run-trigger.ts';
import type { KeepChanges } from './keep-changes.ts';
import { type PostLogin, putTogether } from './post-login-commands.ts';
import { postLoginEvent } from './post-login-event.ts';

interface Parts {
  readonly deployed: Pick<DeployedActions, 'atTrigger'>;
  readonly runTrigger: RunTrigger;
  readonly keepChanges: KeepChanges;
  readonly recordAlone: RecordEvent;
}

const TRIGGER = 'post-login';
const LONGEST_WARNING = 1_000;

/** post-login: all bound actions in one job; what they asked for becomes decisions, or ends the login. */
export function createPostLoginStage({ deployed, runTrigger, keepChanges, recordAlone }: Parts): Stage {
  async function run(
    facts: KnownFacts,
    before: Decisions,
    memory: Suspended['memory'] | undefined,
  ): Promise<StageOutcome> {
    const { tenant } = facts;
    const actions = await deployed.atTrigger(tenant.tenantId, TRIGGER);
    const from = memory && positionOf(actions, memory);
    if (memory && from === undefined) return { kind: 'denied', error: pipelineErrors.failed() };
    const known = memory ? objectOf(memory.transaction) : (facts.tokenExchange?.metadata ?? {});
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
      return { kind: 'denied', error: explained(error, { ...executions, ...failedAction(outcome.failure) }) };
    }
    const login = putTogether(outcome.commands, before, known);
    await warn(facts, actions, login.ignored, executions);
    // Also where the login ends here: what an action wrote down, it has written down.
    const refused = await keepChanges(facts, login, aboutOf(facts));
    if (refused) {
      const error = `${refused} would be larger than ${MOST_BYTES_OF_CODE} bytes`;
      return { kind: 'denied', error: explained(pipelineErrors.metadataTooLarge(), { ...executions, error }) };
    }
    if (login.denial) {
      const denied = deniedBy(undefined, login.denial.reason);
      const why = { ...executions, ...namedAction(actions, login.denial) };
      return {
        kind: 'denied',
        error: explained(describedAs(denied, outcome.withoutSecrets(denied.message)), why),
      };
    }
    return decide(facts, login, actions, { ...before, executions: ran });
  }

  /** Of what they asked for in vain, by the name of each action. */
  async function warn(
    facts: KnownFacts,
    actions: readonly RunnableAction[],
    ignored: readonly ActionCommand[],
    executions: Json,
  ): Promise<void> {
    for (const index of new Set(ignored.map(({ action }) => action))) {
      const names = ignored.filter(({ action }) => action === index).map(({ name }) => name);
      const text = `${actions[index]?.name ?? 'An action'} asked for what has no effect here: ${[...new Set(names)].join(', ')}`;
      await recordWarning(recordAlone, facts, text.slice(0, LONGEST_WARNING), executions);
    }
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
    ...together('userMetadata', before, login),
    ...together('appMetadata', before, login),
    ...(subject !== undefined && { subject }),
    ...(factor && { factor }),
  };
  if (!redirect) return { kind: 'decided', decisions };
  const action = actions[redirect.action];
  const memory = { action: action?.id, position: redirect.action, transaction: transactionMetadata };
  return { kind: 'redirect', url: redirect.url, suspended: { stage: 'actions', decisions, memory } };
}

/** All that was changed in this login, before a redirect and after it. */
function together(name: 'userMetadata' | 'appMetadata', before: Decisions, login: PostLogin): Partial<Decisions> {
  const all = { ...before[name], ...login[name] };
  return Object.keys(all).length > 0 ? { [name]: all } : {};
}

/** The action that sent the user away goes on; bindings may have changed meanwhile. */
function positionOf(actions: readonly RunnableAction[], { action, position }: Suspended['memory']): number | undefined {
  const id = textOf(action);
  const known = numberOf(position) ?? -1;
  if (actions[known]?.id === id) return known;
  const found = actions.findIndex((one) => one.id === id);
  return found < 0 ? undefined : found;
}

function aboutOf({ request, client, connection, user }: KnownFacts): Omit<AuditEvent, 'type'> {
  return {
    ...request.requester,
    clientId: client.clientId,
    clientName: client.name,
    connection: connection.name,
    connectionId: connection.id,
    strategy: connection.strategy,
    strategyType: 'database',
    userId: user.userId,
    userName: user.email ?? user.username ?? user.userId,
  };
}
