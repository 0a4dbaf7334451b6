import type { Containers, Tunnel, Warning } from '../containers/job.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { KnownFacts } from '../pipeline/login-facts.ts';
import type { Decisions, Stage, StageOutcome } from '../pipeline/outcome.ts';
import { recordWarning } from '../pipeline/record-warning.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type RulesResult, readRulesResult } from './read-rules-result.ts';
import { ruleContext } from './rule-context.ts';
import { ruleFailure } from './rule-failure.ts';
import { ruleUser, setByRules } from './rule-user.ts';
import type { RulesProgram, RulesPrograms } from './rules-program.ts';

interface Parts {
  readonly programs: RulesPrograms;
  readonly containers: Pick<Containers, 'execute'>;
  /** The way to the tenant's own API, and the address by which rules know it. */
  readonly apiOf: (tenant: Tenant, origin: string) => { readonly domain: string; readonly tunnel: Tunnel };
  /** A token for that API, of this run alone. */
  readonly mintToken: (tenant: Tenant) => Promise<string>;
  readonly countRun: (outcome: 'success' | 'failure') => void;
  readonly recordAlone: RecordEvent;
}

/** The tenant's rules: all of them in one job of one container. */
export function createRulesStage({ programs, containers, apiOf, mintToken, countRun, recordAlone }: Parts): Stage {
  async function run(facts: KnownFacts, before: Decisions, memory: Stored | undefined): Promise<StageOutcome> {
    const { tenant } = facts;
    const program = await programs.rulesProgramOf(tenant.tenantId);
    if (!program) return { kind: 'decided', decisions: before };
    const user = ruleUser(before.user, memory ?? {});
    const { domain, tunnel } = apiOf(tenant, facts.origin);
    const outcome = await containers.execute({
      tenantId: tenant.tenantId,
      pool: 'scripts',
      kind: 'rules',
      program,
      input: {
        user,
        context: ruleContext(facts),
        configuration: await programs.rulesConfigurationOf(tenant.tenantId),
        auth0: { domain, ...(mentionsApi(program) && { accessToken: await mintToken(tenant) }) },
      },
      tunnel,
    });
    countRun(outcome.ok ? 'success' : 'failure');
    for (const warning of outcome.warnings) await warn(facts, warning);
    if (!outcome.ok) return { kind: 'denied', error: ruleFailure(outcome, facts) };
    const result = readRulesResult(outcome.result, before);
    const ran = { ...before.executions, rules: [...(before.executions?.rules ?? []), outcome.executionId] };
    const decisions = { ...decide(program, before, result), executions: ran };
    if (result.redirect === undefined) return { kind: 'decided', decisions };
    if (!facts.resumed) return redirect(result.redirect, { ...before, executions: ran }, result);
    await recordWarning(recordAlone, facts, 'A rule set context.redirect again: a login is redirected once.');
    return { kind: 'decided', decisions };
  }

  function warn(facts: KnownFacts, { kind, text, part }: Warning): Promise<void> {
    return recordWarning(recordAlone, facts, text, { warning: kind, ...(part && { rule: part }) });
  }

  return {
    name: 'rules',
    isUsed: async (tenantId) => (await programs.rulesProgramOf(tenantId)) !== undefined,
    run,
  };
}

type Stored = Readonly<Record<string, unknown>>;

function decide(program: RulesProgram, before: Decisions, result: RulesResult): Decisions {
  const { user, idToken, accessToken, scopes, subject, factor } = result;
  return {
    ...before,
    user,
    idToken,
    accessToken,
    ...(scopes && { scopes }),
    ...(subject !== undefined && { subject }),
    ...(factor && { factor }),
    rules: program.parts.map(({ id }) => id),
  };
}

/** All rules run again when the user is back, from the beginning: what they set on the user is all that they find again. */
function redirect(url: string, before: Decisions, { user }: RulesResult): StageOutcome {
  return {
    kind: 'redirect',
    url,
    suspended: { stage: 'rules', decisions: before, memory: setByRules(before.user, user) },
  };
}

const mentions = new WeakMap<RulesProgram, boolean>();

/** A signature for each login is worth its time only where some rule has a use for it. */
function mentionsApi(program: RulesProgram): boolean {
  const known = mentions.get(program) ?? program.parts.some(({ code }) => /auth0|\beval\b|\bFunction\b/.test(code));
  mentions.set(program, known);
  return known;
}
