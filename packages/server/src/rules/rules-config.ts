import { defineErrors } from '../kit/errors.ts';

/** What an operator may call a value of `configuration`. */
export const CONFIG_KEY = /^[A-Za-z0-9_\-@*+:]{1,127}$/;

export const MOST_CONFIGS = 200;
export const LONGEST_VALUE = 8_192;

export const rulesConfigErrors = defineErrors({
  malformedKey: {
    status: 400,
    code: 'invalid_uri',
    message: "Path validation error: 'String does not match pattern ^[A-Za-z0-9_\\-@*+:]*$: {key}' on property key.",
  },
  tooMany: {
    status: 403,
    code: 'too_many_entities',
    message: 'The limit of {limit} rules configuration values for this tenant was reached.',
  },
});
