import { type DeclaredError, defineErrors } from '../kit/errors.ts';

/** Errors that every operation may answer; what a domain refuses itself, it declares itself. */
export const managementErrors = defineErrors({
  invalidBody: { status: 400, code: 'invalid_body', message: 'Payload validation error: {problem}.' },
  unreadableBody: { status: 400, code: 'invalid_body', message: 'Invalid request payload JSON format' },
  invalidUri: { status: 400, code: 'invalid_uri', message: 'Path validation error: {problem}.' },
  invalidQuery: { status: 400, code: 'invalid_query_string', message: 'Query validation error: {problem}.' },
  tooManyUsers: {
    status: 400,
    code: 'invalid_paging',
    message:
      'You can only page through the first 1000 records. See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation',
  },
  pageTooFar: {
    status: 400,
    code: 'invalid_paging',
    message:
      'Requesting page {page} exceeds the allowed maximum of 1000 records. To fetch results beyond 1000, use the checkpoint pagination method.',
  },
  badAuthenticationFormat: { status: 400, message: 'Bad HTTP authentication header format' },
  insufficientScope: {
    status: 403,
    code: 'insufficient_scope',
    message: 'Insufficient scope, expected any of: {scopes}',
  },
  otherUser: {
    status: 403,
    code: 'insufficient_scope',
    message: 'User to be acted on does not match subject in bearer token.',
  },
  notFound: { status: 404, message: 'Not Found' },
  bodyTooLarge: { status: 413, message: 'Payload content length greater than maximum allowed' },
  unsupportedMediaType: { status: 415, message: 'Unsupported Media Type' },
  rateLimited: { status: 429, code: 'too_many_requests', message: 'Global limit has been reached' },
});

const unauthorizedErrors = defineErrors({
  missing: { status: 401, message: 'Missing authentication' },
  invalid: { status: 401, message: 'Invalid token' },
  expired: { status: 401, message: 'Expired token received for JSON Web Token validation' },
  badAudience: { status: 401, message: 'Bad audience: {audience}' },
});

/** A 401 repeats its message under `attributes` and in the challenge, as the API's framework does. */
export function unauthorized(
  reason: keyof typeof unauthorizedErrors,
  parameters: Readonly<Record<string, string>> = {},
  cause?: unknown,
  /** Other than the one that the reason stands for: of a token that is bound to a key. */
  otherChallenge?: string,
): DeclaredError {
  const { message } = unauthorizedErrors[reason](parameters);
  // A challenge is a quoted-string of a header (RFC 9110 section 11.6.1): what the token brought along does not belong there.
  const challenge =
    reason === 'missing' ? 'Bearer' : `Bearer error="${unauthorizedErrors[reason]({ audience: '' }).message}"`;
  return unauthorizedErrors[reason](parameters, {
    cause,
    extra: { attributes: { error: message } },
    headers: { 'www-authenticate': otherChallenge ?? challenge },
  });
}
