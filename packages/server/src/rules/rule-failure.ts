import type { Failure } from '../containers/job.ts';
import type { DeclaredError } from '../kit/errors.ts';
import { explained } from '../logs/explain-error.ts';
import type { LoginFacts } from '../pipeline/login-facts.ts';
import { deniedBy, pipelineErrors } from '../pipeline/pipeline-errors.ts';
import { settingsOf } from '../tenants/tenant-settings.ts';

/** What the language throws where code is wrong: such words say how it is written, and not why somebody may not log in. */
const MISTAKES: ReadonlySet<string> = new Set([
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
]);

/** How a rule's failure is told: what its author wrote for the user to the application, all else to the log alone. */
export function ruleFailure(failure: Failure, facts: LoginFacts): DeclaredError {
  const { kind, part, error } = failure;
  return explained(toldOf(failure, facts), {
    rule: {
      failure: kind,
      ...(part && { id: part.id, name: part.name }),
      ...(error && { error_name: error.name, error_message: error.message }),
      ...(error?.stack !== undefined && { stack: error.stack }),
    },
  });
}

function toldOf({ kind, error }: Failure, { client, tenant }: LoginFacts): DeclaredError {
  if (kind === 'threw' && error && !MISTAKES.has(error.name)) {
    const text = error.message || error.description || pipelineErrors.failed().message;
    if (error.name !== 'UnauthorizedError') return deniedBy(error.code, text);
    // Applications from before OpenID Connect compare with the word of that time.
    const isLegacy = !client.oidcConformant || settingsOf(tenant).flags.enable_pipeline2 === false;
    return deniedBy(isLegacy ? 'unauthorized' : 'access_denied', text);
  }
  return isPassing(kind) ? pipelineErrors.unavailable() : pipelineErrors.failed();
}

/** Not of this login's making. */
function isPassing(kind: Failure['kind']): boolean {
  return kind === 'recycled' || kind === 'busy' || kind === 'circuit_open' || kind === 'unavailable';
}
