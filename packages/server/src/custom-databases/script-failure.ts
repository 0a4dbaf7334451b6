import type { ScriptName } from '../connections/custom-database.ts';
import type { FailureKind, ThrownError } from '../containers/job.ts';
import { placeDetails } from '../containers/syntax/syntax-fault.ts';
import { DeclaredError, defineErrors } from '../kit/errors.ts';
import { describedAs, explained, explanationOf } from '../logs/explain-error.ts';

/** Why a script gave no answer that counts. */
export interface ScriptFailure {
  readonly script: ScriptName;
  /** `missing`: the tenant has written none; `wrong_result`: it answered with something that can't be used. */
  readonly kind: FailureKind | 'missing' | 'wrong_result';
  readonly error?: ThrownError;
}

export const directoryErrors = defineErrors({
  /** Whatever went wrong in tenant code: its words are for its author, in the log. */
  failed: { status: 403, code: 'access_denied', message: 'The login could not be completed' },
  /** To operators, who may read the code. */
  scriptFailed: { status: 400, code: 'auth0_idp_error', message: '{reason}' },
  keptElsewhere: {
    status: 400,
    code: 'operation_not_supported',
    message: "Cannot change {property}: the users of connection '{connection}' are kept in its custom database.",
  },
});

/** The script answered, and what it says can't be. */
export function wrongResult(script: ScriptName, message: string): ScriptFailure {
  return { script, kind: 'wrong_result', error: { name: 'Error', message } };
}

const LONGEST_TEXT = 1_000;

/** To who logs in, signs up or changes a password: only what the author wrote for them. */
export function toldToUser(failure: ScriptFailure): DeclaredError {
  const { kind, error } = failure;
  const isForUser = kind === 'threw' && (error?.name === 'UnauthorizedError' || error?.name === 'ValidationError');
  if (!isForUser || !error?.message)
    return explained(describedAs(directoryErrors.failed(), describe(failure)), explanation(failure));
  const message = plain(error.message);
  return explained(
    new DeclaredError({ status: 403, code: 'access_denied', message }, message, {}),
    explanation(failure),
  );
}

/** To who calls the Management API. */
export function toldToOperator(failure: ScriptFailure): DeclaredError {
  return explained(directoryErrors.scriptFailed({ reason: describe(failure) }), explanation(failure));
}

/** Whether a refusal comes of a script: nothing is wrong with what was asked for. */
export function isOfScript(error: Error): boolean {
  return 'script' in explanationOf(error);
}

/** For the log: what its author has to know. */
export function describe({ script, kind, error }: ScriptFailure): string {
  const told = error?.message || REASONS[kind];
  return plain(`The database script ${script} failed: ${told}`);
}

export function explanation(failure: ScriptFailure): Readonly<Record<string, unknown>> {
  const { script, kind, error } = failure;
  return {
    error: { message: describe(failure), ...(error?.name && { type: error.name }) },
    script: {
      name: script,
      failure: kind,
      ...(error && { error_name: error.name, error_message: error.message }),
      ...(error?.code !== undefined && { error_code: error.code }),
      ...(error?.stack !== undefined && { stack: error.stack }),
      ...placeDetails(error?.place),
    },
  };
}

const REASONS: Readonly<Record<ScriptFailure['kind'], string>> = {
  threw: 'it threw an error without a message',
  timeout: 'it did not call its callback within the time limit',
  recycled: 'other code of this tenant ended its container',
  crashed: 'its container ended',
  too_much_output: 'it wrote or answered too much',
  busy: 'too much code of this tenant is running',
  circuit_open: "this tenant's containers had to be ended too often",
  too_deep: 'it was called by code that was called by code',
  input_too_large: 'what it is to be given is too large',
  unavailable: 'no container could be started',
  missing: 'the connection has no such script',
  wrong_result: 'its answer can not be used',
};

function plain(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, LONGEST_TEXT);
}
