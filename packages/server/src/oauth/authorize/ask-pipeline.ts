import type { FastifyRequest } from 'fastify';
import { about, explained } from '../../logs/explain-error.ts';
import { executionDetails } from '../../pipeline/execution-details.ts';
import { type Additions, NOTHING_ADDED, type Redirect } from '../../pipeline/outcome.ts';
import { whoLogsIn } from '../../pipeline/record-warning.ts';
import type { RunPipeline } from '../../pipeline/run-pipeline.ts';
import type { AdoptSubject } from './adopt-subject.ts';
import type { LoginRequest } from './authorization-request.ts';
import { authorizeErrors } from './authorize-errors.ts';
import type { LivingSession } from './find-session.ts';
import { loginFactsOf } from './login-facts-of.ts';
import type { LoginUnderWay } from './proceed.ts';

interface Parts {
  readonly runPipeline: RunPipeline;
  readonly adoptSubject: AdoptSubject;
}

export interface Allowed {
  readonly kind: 'allowed';
  /** Another user's by now, where tenant code has linked the one who logged in. */
  readonly living: LivingSession;
  readonly additions: Additions;
}

/** Rules and actions of a login with a browser, once each. Undefined where the login has ended meanwhile. */
export function createAskPipeline({ runPipeline, adoptSubject }: Parts) {
  return async function askPipeline(
    http: FastifyRequest,
    request: LoginRequest,
    living: LivingSession,
    login: LoginUnderWay | undefined,
  ): Promise<Allowed | Redirect | undefined> {
    if (login?.additions) return { kind: 'allowed', living, additions: login.additions };
    const outcome = await runPipeline(loginFactsOf(http, request, living, login));
    if (outcome.kind === 'denied') throw outcome.error;
    if (outcome.kind === 'redirect') return outcome;
    if (outcome.kind === 'secondFactorRequired') {
      const error = request.prompts.has('none') ? authorizeErrors.multifactorRequired() : authorizeErrors.noFactor();
      throw about(explained(error, executionDetails(outcome.executions)), whoLogsIn(living));
    }
    const { additions } = outcome;
    if (additions === NOTHING_ADDED || additions.subject === undefined) return { kind: 'allowed', living, additions };
    const adopted = await adoptSubject(http, living, additions.subject);
    return adopted && { kind: 'allowed', living: adopted, additions };
  };
}

export type AskPipeline = ReturnType<typeof createAskPipeline>;
