import { defineErrors } from '../kit/errors.ts';

/** OAuth errors with the words that SDKs compare (authentication-api sections 0.1, 2, 3 and 17). */
export const oauthErrors = defineErrors({
  missingParameter: { status: 400, code: 'invalid_request', message: 'Missing required parameter: {name}' },
  repeatedParameter: { status: 400, code: 'invalid_request', message: 'Parameter must not be repeated: {name}' },
  wrongType: { status: 400, code: 'invalid_request', message: 'Parameter must be a string: {name}' },
  tooLong: { status: 400, code: 'invalid_request', message: 'Parameter is too long: {name}' },
  malformedRequest: { status: 400, code: 'invalid_request', message: 'The request is malformed' },
  invalidParameter: { status: 400, code: 'invalid_request', message: 'Invalid value for parameter: {name}' },
  scopeType: { status: 400, code: 'invalid_scope', message: 'Scope must be an array or a string' },

  unauthorized: { status: 401, code: 'access_denied', message: 'Unauthorized' },
  invalidClient: { status: 401, code: 'invalid_client', message: 'Client authentication failed' },
  severalAuthentications: {
    status: 400,
    code: 'invalid_request',
    message: 'Only one client authentication method may be used',
  },
  invalidProof: { status: 400, code: 'invalid_dpop_proof', message: '{fault}' },
  nonceNeeded: {
    status: 400,
    code: 'use_dpop_nonce',
    message: 'Authorization server requires nonce in DPoP proof',
  },
  proofRequired: { status: 400, code: 'invalid_request', message: 'A DPoP proof of possession is required' },
  certificateRequired: { status: 400, code: 'invalid_request', message: 'A client certificate is required' },
  boundToOtherKey: {
    status: 400,
    code: 'invalid_dpop_proof',
    message: 'The proof is of another key than the request was',
  },
  severalTokens: { status: 400, code: 'invalid_request', message: 'Only one access token may be sent, in one way' },
  grantNotAllowed: {
    status: 403,
    code: 'unauthorized_client',
    message: "Grant type '{grantType}' not allowed for the client.",
  },
  unsupportedGrantType: { status: 400, code: 'unsupported_grant_type', message: 'Unsupported grant type: {grantType}' },

  pushedRequestsDisabled: {
    status: 403,
    code: 'access_denied',
    message:
      'Pushed authorization requests are switched off: the tenant setting pushed_authorization_requests_supported allows them',
  },
  pushedRequestsNeedSecret: {
    status: 403,
    code: 'unauthorized_client',
    message: 'Pushed authorization requests are for clients that authenticate',
  },

  invalidCode: { status: 403, code: 'invalid_grant', message: 'Invalid authorization code' },
  wrongVerifier: { status: 403, code: 'invalid_grant', message: 'Failed to verify code verifier' },
  wrongRedirectUri: {
    status: 403,
    code: 'unauthorized_client',
    message: 'The redirect URI is wrong. You sent {sent}, and we expected {expected}',
  },
  wrongCredentials: { status: 403, code: 'invalid_grant', message: 'Wrong email or password.' },
  factorRequired: { status: 403, code: 'mfa_required', message: 'Multifactor authentication required' },
  userBlocked: { status: 403, code: 'unauthorized', message: 'user is blocked' },
  refreshUserBlocked: { status: 403, code: 'invalid_grant', message: 'user is blocked' },
  invalidRefreshToken: { status: 403, code: 'invalid_grant', message: 'Unknown or invalid refresh token.' },
  refreshUserGone: {
    status: 403,
    code: 'invalid_grant',
    message: "The refresh_token was generated for a user who doesn't exist anymore.",
  },
  refreshTokenReused: {
    status: 403,
    code: 'invalid_grant',
    message: 'Unsuccessful Refresh Token exchange, reused refresh token detected',
  },

  noDefaultConnection: {
    status: 500,
    code: 'server_error',
    message: 'Authorization server not configured with default connection.',
  },
  connectionNotFound: { status: 400, code: 'invalid_request', message: 'the connection was not found' },
  connectionNotEnabled: {
    status: 400,
    code: 'invalid_request',
    message: 'the connection is not enabled for the client',
  },
  audienceUnknownForPassword: {
    status: 400,
    code: 'invalid_request',
    message: 'invalid audience specified for password grant exchange',
  },
  serviceNotEnabled: { status: 403, code: 'access_denied', message: 'Service not enabled within domain: {audience}' },
  serviceNotFound: { status: 403, code: 'access_denied', message: 'Service not found: {audience}' },
  missingAudience: { status: 403, code: 'access_denied', message: 'Missing required parameter: audience' },
  noClientGrant: {
    status: 403,
    code: 'access_denied',
    message:
      'Client is not authorized to access "{audience}". You need to create a "client-grant" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants',
  },
});
