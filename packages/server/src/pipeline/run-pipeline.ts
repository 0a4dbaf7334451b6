import type { RecordEvent } from '../logs/event.ts';
import { about, explained } from '../logs/explain-error.ts';
import type { ListedRefreshToken } from '../oauth/refresh/refresh-token-list-store.ts';
import type { RoleNames } from '../roles/member-store.ts';
import type { SessionHistory } from '../sessions/session-store.ts';
import type { User } from '../users/user.ts';
import { toWire } from '../users/user-wire.ts';
import { additionsOf } from './additions.ts';
import { bytesOf, MOST_CLAIM_BYTES, TOO_LARGE_FOR_OWN_API } from './custom-claims.ts';
import { executionDetails } from './execution-details.ts';
import { comeBackWith, leaveWith } from './kept-profile.ts';
import type { KnownFacts, LoginFacts } from './login-facts.ts';
import { type Decisions, NOTHING_ADDED, type PipelineOutcome, type Stage, type Suspended } from './outcome.ts';
import { pipelineErrors } from './pipeline-errors.ts';
import { recordWarning, whoLogsIn } from './record-warning.ts';
import { withoutParameters } from './redirect-target.ts';

interface Parts {
  /** In the order in which they run: rules, then actions. */
  readonly stages: readonly Stage[];
  readonly historyOf: SessionHistory;
  readonly refreshTokenPastOf: (tenantId: string, tokenId: string) => Promise<ListedRefreshToken | undefined>;
  readonly roleNamesOf: RoleNames;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
  readonly recordAlone: RecordEvent;
}

export type RunPipeline = (facts: LoginFacts) => Promise<PipelineOutcome>;

/**
 * What a tenant's code makes of a login, between the user and the tokens. It takes as long as that code does: never inside
 * a transaction, and what it was told may have ended meanwhile. A tenant without code pays nothing.
 */
export function createPipeline(parts: Parts): RunPipeline {
  const { stages, historyOf, refreshTokenPastOf, roleNamesOf, findUser, recordAlone } = parts;

  return async function runPipeline(facts) {
    const outcome = await decide(facts);
    if (outcome.kind === 'denied') about(outcome.error, whoLogsIn(facts));
    return outcome;
  };

  async function decide(facts: LoginFacts): Promise<PipelineOutcome> {
    // Whoever operates the installation is let in, and seen, by no code of a tenant.
    if (facts.connection.isSystem) return NOTHING;
    const { suspended } = facts.resumed ?? {};
    const used = await usedStages(facts, suspended?.stage);
    if (used.length === 0 && !suspended) return NOTHING;
    const known = await describe(facts);
    // Rules begin again, with the user as it is by now.
    let decisions = suspended?.stage === 'actions' ? comeBackWith(facts.user, suspended) : begin(facts, suspended);
    for (const stage of used) {
      const memory = stage.name === suspended?.stage ? suspended.memory : undefined;
      const outcome = await stage.run(known, decisions, memory);
      if (outcome.kind === 'redirect' && facts.flow !== 'browser')
        return {
          kind: 'denied',
          error: explained(pipelineErrors.interactionRequired(), {
            ...executionDetails(outcome.suspended.decisions.executions),
            redirect: withoutParameters(outcome.url),
          }),
        };
      if (outcome.kind === 'redirect') return leaveWith(facts.user, outcome);
      if (outcome.kind !== 'decided') return outcome;
      decisions = outcome.decisions;
    }
    if (decisions.factor && !known.methods.some(({ name }) => name === 'mfa'))
      return {
        kind: 'secondFactorRequired',
        demand: decisions.factor,
        ...(decisions.executions && { executions: decisions.executions }),
      };
    return granted(known, decisions);
  }

  /** A pipeline that comes back does not begin again with the stages before. */
  async function usedStages({ tenant }: LoginFacts, from: Stage['name'] | undefined): Promise<readonly Stage[]> {
    const used: Stage[] = [];
    const first = stages.findIndex(({ name }) => name === from);
    for (const stage of stages.slice(Math.max(0, first))) if (await stage.isUsed(tenant.tenantId)) used.push(stage);
    return used;
  }

  async function describe(facts: LoginFacts): Promise<KnownFacts> {
    const { tenantId } = facts.tenant;
    const [history, refreshTokenPast, roles] = await Promise.all([
      facts.session && historyOf(tenantId, facts.session.sessionId),
      facts.refreshToken && refreshTokenPastOf(tenantId, facts.refreshToken.tokenId),
      roleNamesOf(tenantId, facts.user.userId),
    ]);
    const methods = facts.methods ?? history?.methods ?? [];
    return {
      ...facts,
      methods,
      roles,
      sessionClients: history?.clients ?? [],
      sessionMetadata: history?.metadata ?? {},
      ...(history && { sessionPast: history }),
      ...(refreshTokenPast && { refreshTokenPast }),
    };
  }

  async function granted(facts: KnownFacts, decisions: Decisions): Promise<PipelineOutcome> {
    const { additions, dropped, isTooLargeForOwnApi } = additionsOf(facts, decisions);
    if (dropped.length > 0)
      await recordWarning(recordAlone, facts, `These claims are not tenant code's to set: ${dropped.join(', ')}`);
    if (isTooLargeForOwnApi) await recordWarning(recordAlone, facts, TOO_LARGE_FOR_OWN_API);
    if (bytesOf([additions.idToken, additions.accessToken, additions.profile]) > MOST_CLAIM_BYTES)
      return { kind: 'denied', error: pipelineErrors.claimsTooLarge() };
    if (additions.subject !== undefined && !(await isOwner(facts, additions.subject)))
      return { kind: 'denied', error: explained(pipelineErrors.wrongSubject(), { primary_user: additions.subject }) };
    return { kind: 'granted', additions };
  }

  /** Tenant code has linked two accounts: the identity that logged in must have become that user's. */
  async function isOwner({ tenant, user, connection }: KnownFacts, subject: string): Promise<boolean> {
    const owner = await findUser(tenant.tenantId, subject);
    if (!owner || owner.blocked || owner.isSystem !== user.isSystem) return false;
    const used = user.identities.filter(({ connectionId }) => connectionId === connection.id);
    return used.some((identity) =>
      owner.identities.some(
        (one) =>
          one.connectionId === identity.connectionId &&
          one.provider === identity.provider &&
          one.userId === identity.userId,
      ),
    );
  }
}

const NOTHING: PipelineOutcome = { kind: 'granted', additions: NOTHING_ADDED };

/** What ran before the redirect ran for this login, too. */
function begin({ user }: LoginFacts, { decisions }: Partial<Suspended> = {}): Decisions {
  const { executions } = decisions ?? {};
  return { user: toWire(user), idToken: {}, accessToken: {}, rules: [], ...(executions && { executions }) };
}
