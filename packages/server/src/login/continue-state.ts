import type { FastifyRequest } from 'fastify';
import { FormBody } from '../http/body-parsers.ts';
import { defineErrors } from '../kit/errors.ts';
import { isObject, textOf } from '../kit/json-values.ts';
import { queryForm } from '../oauth/parameters.ts';

export const continueErrors = defineErrors({
  /** Whatever is wrong with it: missing, unknown, expired, used, another login's or another tenant's look the same. */
  invalidState: {
    status: 400,
    code: 'invalid_request',
    message: 'The state of this login is missing, unknown, expired, was used already or belongs to another browser',
  },
  noCookie: {
    status: 400,
    code: 'invalid_request',
    message:
      'The cookie of this login did not come back: it began in another browser, or this one keeps cookies from the page that leads here',
  },
  otherVersion: {
    status: 400,
    code: 'transaction-expired',
    message: 'This login began under another version of the server: begin it again at the application',
  },
});

const STATE = /^[A-Za-z0-9_-]{43}$/;

/** The state that a page brings back to /continue, in the query or in a posted form; given once. */
export function continueState(http: FastifyRequest): string | undefined {
  const { body } = http;
  const query = queryForm(http);
  const form = body instanceof FormBody ? body.form : undefined;
  if (!query.wellFormed || form?.wellFormed === false) return undefined;
  if (query.repeated.includes('state') || form?.repeated.includes('state')) return undefined;
  const state = query.values.state ?? form?.values.state ?? (isObject(body) ? textOf(body.state) : undefined);
  return state !== undefined && STATE.test(state) ? state : undefined;
}
