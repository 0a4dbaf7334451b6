import { DeclaredError, defineErrors } from '../kit/errors.ts';

/**
 * The /dbconnections family sends `extra` as it is: name, message, description and, for a weak password, policy.
 * The overload ones are told to the client like a rate limit, since SDKs then wait for Retry-After and try again.
 */
export const passwordErrors = defineErrors({
  weak: { status: 400, code: 'invalid_password', message: 'Password is too weak' },
  common: { status: 400, code: 'invalid_password', message: 'Password is too common' },
  personal: { status: 400, code: 'invalid_password', message: 'Password contains user information' },
  usedBefore: { status: 400, code: 'invalid_password', message: 'Password has previously been used' },
  unusable: {
    status: 400,
    code: 'invalid_password',
    message: 'Password must be valid text of 1 to {bytes} bytes without NUL characters',
  },
  tooMany: { status: 429, code: 'too_many_requests', message: 'Too many logins at this moment. Try again shortly.' },
  stopped: { status: 503, code: 'temporarily_unavailable', message: 'The server can not check passwords right now.' },
});

/** The Management API has one sentence for it and no code: `PasswordStrengthError: Password is too weak`. */
export function asManagementError(error: unknown): unknown {
  if (!(error instanceof DeclaredError) || error.code !== 'invalid_password') return error;
  const { name } = error.extra;
  const message = typeof name === 'string' ? `${name}: ${error.message}` : error.message;
  return new DeclaredError({ status: error.status, message }, message, { cause: error });
}
