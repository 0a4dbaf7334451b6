import { defineErrors } from '../../kit/errors.ts';

/** What forms that applications host themselves are told (authentication-api section 10): Lock and auth0.js compare code and text. */
export const embeddedLoginErrors = defineErrors({
  missing: { status: 400, code: 'invalid_request', message: 'Missing required parameter: {name}' },
  malformed: { status: 400, code: 'invalid_request', message: 'The request is malformed' },
  unknownClient: { status: 403, code: 'unauthorized_client', message: 'Unknown client: {clientId}' },
  notAllowed: { status: 403, code: 'unauthorized_client', message: 'Cross origin login not allowed.' },
  foreignOrigin: { status: 403, code: 'access_denied', message: 'Origin {origin} is not allowed.' },
  unsupportedCredential: {
    status: 400,
    code: 'invalid_request',
    message: 'The credential_type is not supported: {credentialType}',
  },
  connectionNotFound: { status: 400, code: 'invalid_request', message: 'the connection was not found' },
  connectionNotEnabled: {
    status: 400,
    code: 'invalid_request',
    message: 'the connection is not enabled for the client',
  },
  wrongCredentials: { status: 403, code: 'access_denied', message: 'Wrong email or password.' },
  /** The same at /usernamepassword/login, whose readers compare the code. */
  wrongOnHostedPage: { status: 401, code: 'invalid_user_password', message: 'Wrong email or password.' },
  userBlocked: { status: 401, code: 'unauthorized', message: 'user is blocked' },
  invalidTicket: { status: 403, code: 'access_denied', message: 'Unknown or invalid login ticket.' },
});
