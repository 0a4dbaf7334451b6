import type { Connection } from '../../connections/connection.ts';
import { about, explained } from '../../logs/explain-error.ts';
import { executionDetails } from '../../pipeline/execution-details.ts';
import type { LoginFacts } from '../../pipeline/login-facts.ts';
import { type Additions, NOTHING_ADDED } from '../../pipeline/outcome.ts';
import { pipelineErrors } from '../../pipeline/pipeline-errors.ts';
import { whoLogsIn } from '../../pipeline/record-warning.ts';
import type { RunPipeline } from '../../pipeline/run-pipeline.ts';
import type { User } from '../../users/user.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { shownParameters } from '../shown-parameters.ts';
import type { Exchange } from './token-grant.ts';

interface Parts {
  readonly runPipeline: RunPipeline;
  readonly findUser: (tenantId: string, userId: string) => Promise<User | undefined>;
}

/** What a grant knows besides the request. */
type Known = Pick<
  LoginFacts,
  'protocol' | 'session' | 'target' | 'scope' | 'loginsCount' | 'methods' | 'refreshToken' | 'tokenExchange'
> & {
  readonly connection: Connection;
  readonly user: User;
};

export interface Allowed {
  readonly additions: Additions;
  /** Whose tokens these are: tenant code may have linked the user who logged in to another one. */
  readonly user: User;
  /** Tenant code ran: what was read before may have ended meanwhile. */
  readonly hasWaited: boolean;
}

/** Rules and actions in a grant without a browser: what they ask of one is refused. */
export function createRunForExchange({ runPipeline, findUser }: Parts) {
  return async function runForExchange(exchange: Exchange, known: Known): Promise<Allowed> {
    const { tenant, origin, client, parameters, requester } = exchange;
    const outcome = await runPipeline({
      ...known,
      tenant,
      origin,
      client,
      flow: 'backchannel',
      redirectUri: undefined,
      request: {
        requester,
        method: 'POST',
        query: {},
        body: shownParameters(parameters.all),
      },
    });
    if (outcome.kind === 'denied') throw outcome.error;
    if (outcome.kind === 'secondFactorRequired')
      throw about(explained(oauthErrors.factorRequired(), executionDetails(outcome.executions)), whoLogsIn(known));
    if (outcome.kind === 'redirect') throw pipelineErrors.interactionRequired();
    const { additions } = outcome;
    const { subject } = additions;
    const user = subject === undefined ? known.user : await findUser(tenant.tenantId, subject);
    if (!user) throw pipelineErrors.wrongSubject();
    return { additions, user, hasWaited: additions !== NOTHING_ADDED };
  };
}

export type RunForExchange = ReturnType<typeof createRunForExchange>;
