import { defineErrors } from '../kit/errors.ts';

export const clientErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_client', message: 'The client does not exist' },
  credentialNotFound: { status: 404, code: 'inexistent_credential', message: 'The credential does not exist' },
  invalidFormat: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'Object didn't pass validation for format {format}: {value}' on property {property}.",
  },
  anyLocalhostInProduction: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'http://localhost:* allows every port and path of localhost and is refused in a production tenant' on property {property}.",
  },
  tooMany: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Array is too long ({count}), maximum {maximum}' on property {property}.",
  },
  tooLong: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'String is too long ({count} chars), maximum {maximum}' on property {property}.",
  },
  invalidGrantTypes: { status: 400, code: 'invalid_body', message: 'Invalid grant types: {grantTypes}' },
  metadataTooLarge: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'Too many properties defined ({count}), maximum 10' on property client_metadata.",
  },
  metadataValue: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'Values are strings of at most 255 characters, and so are their names' on property client_metadata.{key}.",
  },
  twoAuthMethods: {
    status: 400,
    code: 'invalid_body',
    message:
      'Payload validation error: token_endpoint_auth_method and client_authentication_methods exclude each other; set the other one to null.',
  },
  unknownCredential: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'The client has no such credential: {id}' on property {property}.",
  },
  invalidCredential: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: '{fault}' on property {property}.",
  },
  tooManyCredentials: {
    status: 400,
    code: 'operation_not_supported',
    message: 'A client has at most {maximum} credentials.',
  },
  credentialTaken: {
    status: 409,
    code: 'credential_conflict',
    message: 'A credential with the same kid already exists.',
  },
  credentialInUse: {
    status: 400,
    code: 'operation_not_supported',
    message: 'The credential is in use: take it out of the client first.',
  },
  globalClient: { status: 400, code: 'operation_not_supported', message: 'The global client cannot be deleted.' },
  insufficientScope: {
    status: 403,
    code: 'insufficient_scope',
    message: 'Insufficient scope, expected any of: {scopes}',
  },
  invalidQuery: {
    status: 400,
    code: 'invalid_query_string',
    message:
      "Query validation error: 'Only client_grant.organization_id and client_grant.allow_any_organization can be searched' on property q.",
  },
  invalidCursor: {
    status: 400,
    code: 'invalid_query_string',
    message: "Query validation error: 'Invalid checkpoint' on property from.",
  },
});
