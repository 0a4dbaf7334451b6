import { DeclaredError, defineErrors } from '../kit/errors.ts';

/** What /dbconnections answers (authentication-api section 8); `name` is BadRequestError unless the error says otherwise. */
export const databaseErrors = defineErrors({
  missing: { status: 400, code: 'invalid_request', message: 'Missing required parameter: {name}' },
  unknownClient: { status: 400, code: 'invalid_client', message: 'Unknown client: {clientId}' },
  unknownConnection: { status: 400, code: 'inexistent_connection', message: 'connection not found' },
  invalidSignUp: { status: 400, code: 'invalid_signup', message: 'Invalid sign up' },
  userExists: { status: 400, code: 'user_exists', message: 'The user already exists.' },
  usernameExists: { status: 400, code: 'username_exists', message: 'The username already exists.' },
  invalidMetadata: { status: 400, code: 'invalid_request', message: 'Invalid user_metadata: {reason}' },
  resetDisabled: { status: 400, code: 'reset_disabled', message: 'Password reset is disabled for this connection.' },
  tooMany: {
    status: 429,
    code: 'too_many_requests',
    message: 'Too many requests for this address. Wait a minute before the next one.',
  },
});

/** The Management API's errors about a user, in the words of sign-up: a taken identifier is told only where the tenant says so. */
export function asSignUpError(error: unknown, tellsWhoExists: boolean): unknown {
  if (!(error instanceof DeclaredError)) return error;
  if (error.status === 409) {
    if (!tellsWhoExists) return databaseErrors.invalidSignUp({}, { cause: error });
    const isUsername = /username/i.test(error.message);
    return (isUsername ? databaseErrors.usernameExists : databaseErrors.userExists)({}, { cause: error });
  }
  if (error.code !== 'invalid_body') return error;
  const message = error.message.replace(/^Payload validation error: '(.*)'\.$/s, '$1');
  return new DeclaredError({ status: 400, code: 'invalid_request', message }, message, { cause: error });
}
