import { defineErrors } from '../../kit/errors.ts';

/** Which action answers an exchange of which type of token: the type belongs to one profile. */
export interface TokenExchangeProfile {
  readonly id: string;
  readonly name: string;
  readonly subjectTokenType: string;
  /** Fixed once the profile is made. */
  readonly actionId: string;
  readonly type: 'custom_authentication';
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Of the actions that a profile names. */
export const EXCHANGE_TRIGGER = 'custom-token-exchange';
export const MOST_PROFILES = 100;
const RESERVED = /^(?:https?:\/\/(?:[^/?#]*\.)?(?:auth0|okta)\.com(?:[/:?#]|$)|urn:(?:ietf|auth0|okta):)/i;

/** A type is somebody's own: https or urn, and none of those that mean something already. */
export function checkSubjectTokenType(value: string): void {
  if (!/^(?:https:\/\/|urn:)[^\s\p{Cc}]+$/iu.test(value)) throw profileErrors.malformedType();
  if (RESERVED.test(value)) throw profileErrors.reservedType();
}

export const profileErrors = defineErrors({
  notFound: { status: 404, message: 'Token exchange profile not found.' },
  noAction: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'There is no such action' on property action_id.",
  },
  otherTrigger: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'The action does not support the trigger custom-token-exchange' on property action_id.",
  },
  typeTaken: {
    status: 409,
    code: 'conflict',
    message: 'A token exchange profile with the same subject_token_type already exists.',
  },
  malformedType: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Must begin with https:// or urn:' on property subject_token_type.",
  },
  reservedType: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'The namespace is reserved' on property subject_token_type.",
  },
  tooMany: {
    status: 403,
    code: 'operation_not_supported',
    message: 'A tenant has at most {maximum} token exchange profiles.',
  },
});
