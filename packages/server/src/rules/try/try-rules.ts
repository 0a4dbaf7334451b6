import type { Containers, Failure, Outcome } from '../../containers/job.ts';
import { createMask } from '../../containers/mask-values.ts';
import { keptLines } from '../../executions/kept-console.ts';
import { standInApi, type TriedCall } from '../../executions/stand-in-api.ts';
import { digest } from '../../kit/digest.ts';
import { type Json, objectOf } from '../../kit/json-values.ts';
import { customClaims } from '../../pipeline/custom-claims.ts';
import { readRulesResult } from '../read-rules-result.ts';
import { refusalOf } from '../rule-failure.ts';
import { type Change, listChanges } from './list-changes.ts';
import { SAMPLE_CONTEXT, SAMPLE_USER } from './sample-login.ts';

export interface TriedRule {
  readonly name: string;
  readonly script: string;
}

export interface Trial {
  /** In the order in which they run. */
  readonly rules: readonly TriedRule[];
  /** A sample where it is left out. */
  readonly user?: Json | undefined;
  /** Members that differ from those of a sample. */
  readonly context?: Json | undefined;
  readonly configuration: Json;
}

/** What a login with these rules would have come to, for their author. */
export interface Report extends Pick<Outcome, 'console' | 'warnings' | 'tookMs'> {
  readonly verdict: Verdict;
  readonly failure: Failure | undefined;
  readonly changes: readonly Change[];
  /** Claims that tokens will not carry, since they are not a rule's to set. */
  readonly droppedClaims: readonly string[];
  readonly calls: readonly TriedCall[];
  /** As the last rule left them; those of the beginning where one failed. */
  readonly user: unknown;
  readonly context: unknown;
}

export type Verdict =
  | { readonly kind: 'granted' }
  | { readonly kind: 'redirected'; readonly url: string }
  | { readonly kind: 'second_factor'; readonly provider: string }
  /** What the application would hear. */
  | { readonly kind: 'refused'; readonly error: string; readonly description: string };

/** Runs rules as a login would, in a container, without a server. */
export async function tryRules(containers: Pick<Containers, 'execute'>, trial: Trial): Promise<Report> {
  const user = trial.user ?? SAMPLE_USER;
  const context = { ...SAMPLE_CONTEXT, ...trial.context };
  const api = standInApi(user);
  const parts = trial.rules.map(({ name, script }, index) => ({ id: `${index + 1}`, name, code: script }));
  const job = {
    tenantId: String(context.tenant),
    pool: 'scripts',
    kind: 'rules',
    program: { hash: digest(JSON.stringify(parts)), parts },
    input: { user, context, configuration: trial.configuration, auth0: api.auth0 },
    tunnel: api.tunnel,
  } as const;
  const outcome = await containers.execute(job);
  const after = objectOf(outcome.ok ? outcome.result : { user, context });
  const ran = {
    console: keptLines(outcome.console, createMask(job)),
    warnings: outcome.warnings,
    tookMs: outcome.tookMs,
    calls: api.calls,
    user: after.user,
    context: after.context,
  };
  if (!outcome.ok) {
    const { code = 'access_denied', message } = refusalOf(outcome.failure, false);
    const verdict = { kind: 'refused', error: code, description: message } as const;
    return { ...ran, verdict, failure: outcome.failure, changes: [], droppedClaims: [] };
  }
  const result = readRulesResult(outcome.result, { user, idToken: {}, accessToken: {}, rules: [] });
  return {
    ...ran,
    verdict: verdictOf(result),
    failure: undefined,
    changes: [...listChanges('user', user, after.user), ...listChanges('context', context, after.context)],
    droppedClaims: [...new Set([result.idToken, result.accessToken].flatMap((claims) => customClaims(claims).dropped))],
  };
}

function verdictOf({ redirect, factor }: ReturnType<typeof readRulesResult>): Verdict {
  if (redirect !== undefined) return { kind: 'redirected', url: redirect };
  return factor ? { kind: 'second_factor', provider: factor.provider } : { kind: 'granted' };
}
