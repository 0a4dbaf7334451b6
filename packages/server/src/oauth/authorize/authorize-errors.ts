import { defineErrors } from '../../kit/errors.ts';

/** Errors that are told on a page, since nobody may be redirected to an address that is not proven (RFC 6749 section 4.1.2.1). */
export const authorizePageErrors = defineErrors({
  unknownClient: { status: 400, code: 'unknown-client', message: 'Unknown client: {clientId}' },
  callbackMismatch: {
    status: 403,
    code: 'callback-mismatch',
    message: 'Callback URL mismatch. {redirectUri} is not in the list of allowed callback URLs',
  },
  noCallback: {
    status: 400,
    code: 'callback-mismatch',
    message: 'The client has no allowed callback URLs, and the request names none',
  },
  malformed: { status: 400, code: 'invalid-request', message: '{reason}' },
  expired: { status: 400, code: 'transaction-expired', message: 'This login has expired or was finished already' },
  cookiesMissing: { status: 400, code: 'cookies-missing', message: 'The browser sent no cookie for this login' },
  foreignOrigin: { status: 403, code: 'access-denied', message: 'The form was sent from another site' },
});

/** Errors that the client gets at its redirect URI (authentication-api section 2). */
export const authorizeErrors = defineErrors({
  invalidRequest: { status: 400, code: 'invalid_request', message: '{reason}' },
  unsupportedResponseType: {
    status: 400,
    code: 'unsupported_response_type',
    message: 'Unsupported response type: {responseType}',
  },
  unauthorizedClient: {
    status: 403,
    code: 'unauthorized_client',
    message: "Grant type '{grantType}' not allowed for the client.",
  },
  requestNotSupported: {
    status: 400,
    code: 'request_not_supported',
    message: 'The client has no key for signed requests (signed_request_object.credentials)',
  },
  requestUriNotSupported: {
    status: 400,
    code: 'request_uri_not_supported',
    message: 'The parameter request_uri takes pushed requests alone',
  },
  invalidRequestObject: {
    status: 400,
    code: 'invalid_request_object',
    message: 'The request object was refused: {reason}',
  },
  invalidRequestUri: {
    status: 400,
    code: 'invalid_request_uri',
    message: 'The pushed request is unknown, expired or was used before',
  },
  pushedRequestRequired: {
    status: 400,
    code: 'invalid_request',
    message: 'The client must use pushed authorization requests',
  },
  requestObjectRequired: { status: 400, code: 'invalid_request', message: 'The client must use signed requests' },
  multifactorRequired: { status: 400, code: 'login_required', message: 'Multifactor authentication required' },
  noFactor: {
    status: 403,
    code: 'access_denied',
    message: 'Multifactor authentication required, and there is no factor that a user could give',
  },
  originNotRegistered: {
    status: 400,
    code: 'invalid_request',
    message: "The specified redirect_uri '{redirectUri}' does not have a registered origin.",
  },
  serviceNotFound: { status: 403, code: 'access_denied', message: 'Service not found: {audience}' },
  loginRequired: { status: 400, code: 'login_required', message: 'Login required' },
  consentDeclined: { status: 403, code: 'access_denied', message: 'User did not authorize the request' },
  consentRequired: { status: 400, code: 'consent_required', message: 'Consent required' },
  userBlocked: { status: 403, code: 'unauthorized', message: 'user is blocked' },
  connectionNotFound: { status: 400, code: 'invalid_request', message: 'the connection was not found' },
  connectionNotEnabled: {
    status: 400,
    code: 'invalid_request',
    message: 'the connection is not enabled for the client',
  },
  noConnection: { status: 400, code: 'invalid_request', message: 'no connections enabled for the client' },
  organizationNotAllowed: {
    status: 400,
    code: 'invalid_request',
    message: 'parameter organization is not allowed for this client',
  },
});
