import { defineErrors } from '../kit/errors.ts';

export const logErrors = defineErrors({
  /** The event could not be made durable, so what it reports must not be answered. */
  unavailable: { status: 503, code: 'temporarily_unavailable', message: 'The service is temporarily unavailable.' },
  notFound: { status: 404, code: 'inexistent_log', message: 'The log event does not exist.' },
  malformedPosition: {
    status: 400,
    code: 'invalid_query_string',
    message: "Query validation error: 'from' is not the log_id of an event of this installation.",
  },
  tooLong: { status: 414, code: 'invalid_query_string', message: 'The search is longer than {most} characters.' },
  malformedDate: {
    status: 400,
    code: 'invalid_query_string',
    message: "Query validation error: '{value}' is no date of the form 2026-01-31 or 2026-01-31T12:00:00.",
  },
  unknownSort: {
    status: 400,
    code: 'invalid_query_string',
    message: "Query validation error: 'sort' must be a searchable field followed by ':1' or ':-1'.",
  },
  tooDeep: {
    status: 400,
    code: 'invalid_paging',
    message:
      'You can only page through the first 1000 records. To fetch results beyond 1000, use the checkpoint pagination method.',
  },
  tooSlow: {
    status: 503,
    code: 'search_timeout',
    message: 'The search took too long. Narrow it down, for example by date.',
  },
});
