import type { ConsoleLine, Failure, Outcome, ThrownError } from '../containers/job.ts';
import { placeDetails } from '../containers/syntax/syntax-fault.ts';
import type { DeclaredError } from '../kit/errors.ts';
import { describedAs, explained } from '../logs/explain-error.ts';
import { executionDetails } from '../pipeline/execution-details.ts';
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
  // Of the runtime that refuses something: they name paths of this machine.
  'NotCapable',
  'PermissionDenied',
  'URIError',
  'AggregateError',
]);

/** What the container's `require` throws: which module the operator has to add is for the log. */
const MISSING_MODULE = 'MODULE_NOT_FOUND';

/** How a rule's failure is told: what its author wrote for the user to the application, all else to the log alone. */
export function ruleFailure(
  { failure, console, executionId }: Extract<Outcome, { ok: false }>,
  { client, tenant }: LoginFacts,
): DeclaredError {
  const { kind, part, logged: error } = failure;
  // Applications from before OpenID Connect compare with the word of that time.
  const isLegacy = !client.oidcConformant || settingsOf(tenant).flags.enable_pipeline2 === false;
  const printed = lastWords(console.filter((line) => line.part?.id === part?.id));
  const refusal = refusalOf(failure, isLegacy);
  // A rule may put a secret of its configuration into what it says: the application hears it, the log does not.
  return explained(describedAs(refusal, refusalOf({ kind, ...(error && { error }) }, isLegacy).message), {
    ...executionDetails({ rules: [executionId] }),
    rule: {
      failure: kind,
      ...(part && { id: part.id, name: part.name }),
      ...(error && { error_name: error.name, error_message: error.message }),
      ...(error?.stack !== undefined && { stack: error.stack }),
      ...placeDetails(error?.place),
      ...(printed.length > 0 && { console: printed }),
    },
  });
}

const MOST_PRINTED = 10;
const LONGEST_PRINTED = 200;

/** What it printed before it failed; `gatewright logs tail --console` has more of it. */
function lastWords(console: readonly ConsoleLine[]): string[] {
  return console.slice(-MOST_PRINTED).map(({ text }) => text.slice(0, LONGEST_PRINTED));
}

/** What the application hears. `isLegacy`: in the word of OAuth before OpenID Connect. */
export function refusalOf({ kind, error }: Failure, isLegacy: boolean): DeclaredError {
  if (kind === 'threw' && error && !isMistake(error)) {
    const text = error.message || error.description || pipelineErrors.failed().message;
    if (error.name !== 'UnauthorizedError') return deniedBy(error.code, text);
    return deniedBy(isLegacy ? 'unauthorized' : 'access_denied', text);
  }
  return isPassing(kind) ? pipelineErrors.unavailable() : pipelineErrors.failed();
}

function isMistake({ name, code }: ThrownError): boolean {
  return MISTAKES.has(name) || code === MISSING_MODULE;
}

/** Not of this login's making. */
function isPassing(kind: Failure['kind']): boolean {
  return kind === 'recycled' || kind === 'busy' || kind === 'circuit_open' || kind === 'unavailable';
}
