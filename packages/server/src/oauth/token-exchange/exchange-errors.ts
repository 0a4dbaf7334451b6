import { defineErrors } from '../../kit/errors.ts';

/** What an exchange of tokens answers (RFC 8693 section 2.2.2, authentication-api section 3.8). */
export const exchangeErrors = defineErrors({
  notAllowed: {
    status: 403,
    code: 'unauthorized_client',
    message: '"{type}" Token Exchange Profile is not allowed for the client.',
  },
  unknownType: {
    status: 400,
    code: 'invalid_request',
    message: 'No token exchange profile has the subject_token_type: {type}',
  },
  requestedType: {
    status: 400,
    code: 'invalid_request',
    message: 'Only access tokens can be requested: requested_token_type {type} is not supported',
  },
  actorIncomplete: {
    status: 400,
    code: 'invalid_request',
    message: 'actor_token and actor_token_type must be sent together',
  },
  resource: { status: 400, code: 'invalid_target', message: 'resource is not supported, use audience' },
  noUser: {
    status: 400,
    code: 'invalid_request',
    message: 'The action of the token exchange profile named no user',
  },
  connectionNotEnabled: {
    status: 400,
    code: 'invalid_request',
    message: 'The connection that the action of the token exchange profile named is not enabled for the client',
  },
  identifierDiffers: {
    status: 400,
    code: 'invalid_request',
    message: 'The {name} of an existing user can not be replaced by a token exchange',
  },
  userMalformed: {
    status: 400,
    code: 'invalid_request',
    message: 'The action of the token exchange profile asked for a user who can not be: {reason}',
  },
  metadataTooLarge: {
    status: 400,
    code: 'invalid_request',
    message: 'The metadata that the action of the token exchange profile set is larger than 16384 bytes',
  },
  actorMalformed: {
    status: 400,
    code: 'invalid_request',
    message: 'The actor that the action of the token exchange profile set is malformed',
  },
  noOrganizations: {
    status: 400,
    code: 'invalid_request',
    message: 'The action of the token exchange profile asked for an organization: they are not supported',
  },
  unsupported: {
    status: 400,
    code: 'invalid_request',
    message: 'The action of the token exchange profile asked for what is not supported',
  },
  actionNotRun: {
    status: 400,
    code: 'invalid_request',
    message: 'The action of the token exchange profile "{profile}" could not be run',
  },
});
