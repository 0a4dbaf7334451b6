import { defineErrors } from '../kit/errors.ts';

/** A function of the tenant that runs at each login, after the user is known and before there are tokens. */
export interface Rule {
  /** `rul_` and 16 characters. */
  readonly id: string;
  readonly name: string;
  readonly script: string;
  readonly order: number;
  readonly isEnabled: boolean;
}

/** The one stage that is left of those that rules could have. */
export const STAGE = 'login_success';

export const MOST_RULES = 100;
export const LONGEST_SCRIPT = 100_000;
/** All scripts travel to a container in one message, which is bounded. */
export const LONGEST_PROGRAM = 1_000_000;

export const ruleErrors = defineErrors({
  notFound: { status: 404, code: 'inexistent_rule', message: 'The rule does not exist' },
  nameTaken: { status: 409, code: 'rule_conflict', message: 'A rule with the same name already exists' },
  orderTaken: { status: 409, code: 'rule_conflict', message: 'A rule with the same order already exists' },
  tooMany: {
    status: 403,
    code: 'too_many_entities',
    message: 'The limit of {limit} rules for this tenant was reached.',
  },
  programTooLong: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'The scripts of all rules together are too long ({length} chars), maximum {maximum}' on property script.",
  },
});
