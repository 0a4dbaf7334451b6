import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseAway } from '../db/database-away.ts';
import { DeclaredError, defineErrors } from '../kit/errors.ts';
import type { Log } from '../kit/log.ts';

/** Which shape an endpoint's errors have (authentication-api section 0). A route names its family in its config. */
export type ErrorFamily = 'oauth' | 'database' | 'management' | 'page';

declare module 'fastify' {
  interface FastifyContextConfig {
    errors?: ErrorFamily;
  }
}

export const requestErrors = defineErrors({
  notFound: { status: 404, message: 'Not Found' },
  malformed: { status: 400, code: 'invalid_request', message: 'The request could not be read: {reason}.' },
  badPath: {
    status: 400,
    code: 'invalid_uri',
    message: "Path validation error: 'Invalid percent-encoding'.",
  },
  pathTooLong: { status: 414, code: 'invalid_uri', message: 'A part of the path is too long.' },
  tooLarge: { status: 413, code: 'invalid_request', message: 'The request body is too large.' },
  mediaType: {
    status: 415,
    code: 'invalid_request',
    message: 'The content type must be application/json or application/x-www-form-urlencoded.',
  },
  unavailable: {
    status: 503,
    code: 'temporarily_unavailable',
    message: 'The service is temporarily unavailable. Please try again in a few seconds.',
  },
  unexpected: { status: 500, code: 'server_error', message: 'Something went wrong on our side. Reference: {id}' },
});

const RETRY_AFTER_SECONDS = '2';

/** Turns whatever was thrown into an error that may be told; what nobody declared is logged under the request's id. */
export function declareError(error: unknown, request: FastifyRequest, log: Log): DeclaredError {
  if (error instanceof DeclaredError) return error;
  if (isDatabaseAway(error))
    return requestErrors.unavailable({}, { cause: error, headers: { 'retry-after': RETRY_AFTER_SECONDS } });
  const known = fromFastify(error);
  if (known) return known;
  log.error('unexpected error', { request: request.id, method: request.method, path: pathOf(request), error });
  return requestErrors.unexpected({ id: request.id }, { cause: error });
}

/** The body of an error in JSON families. */
export function errorBody(family: Exclude<ErrorFamily, 'page'>, error: DeclaredError): Record<string, unknown> {
  if (family === 'oauth')
    return { error: error.code ?? 'invalid_request', error_description: errorDescription(error), ...error.extra };
  if (family === 'database') {
    return {
      name: 'BadRequestError',
      code: error.code ?? 'bad_request',
      description: error.message,
      statusCode: error.status,
      ...error.extra,
    };
  }
  return {
    statusCode: error.status,
    error: STATUS_CODES[error.status] ?? 'Error',
    message: error.message,
    ...(error.code && { errorCode: error.code }),
    ...error.extra,
  };
}

/** RFC 6749 sections 4.1.2.1 and 5.2 allow printable ASCII here; what a request brought along may be more. Auth0's own quotes stay. */
export function errorDescription({ message }: DeclaredError): string {
  return message.replace(/[^\x20-\x7e]/g, '?');
}

export function sendError(
  reply: FastifyReply,
  family: Exclude<ErrorFamily, 'page'>,
  error: DeclaredError,
): FastifyReply {
  return reply
    .code(error.status)
    .headers({
      'cache-control': 'private, no-store, no-cache, must-revalidate, post-check=0, pre-check=0, no-transform',
      ...error.headers,
    })
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(errorBody(family, error)));
}

function fromFastify(error: unknown): DeclaredError | undefined {
  const { code = '', statusCode } = error as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return requestErrors.tooLarge();
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return requestErrors.mediaType();
  if (code === 'FST_ERR_BAD_URL') return requestErrors.badPath({}, { cause: error });
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return requestErrors.pathTooLong({}, { cause: error });
  if (code.startsWith('FST_ERR_CTP')) return requestErrors.malformed({ reason: 'it is malformed' }, { cause: error });
  return statusCode === 404 ? requestErrors.notFound() : undefined;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
