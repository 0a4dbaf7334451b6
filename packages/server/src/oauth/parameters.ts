import type { FastifyRequest } from 'fastify';
import { FormBody } from '../http/body-parsers.ts';
import { type Form, parseForm } from '../http/form.ts';
import { oauthErrors } from './oauth-errors.ts';

/** Request parameters of a protocol endpoint: strings, each given once, each of bounded length. Empty ones count as absent (RFC 6749 section 3.1). */
export interface Parameters {
  get(name: string): string | undefined;
  require(name: string): string;
  /** All that was sent, for login transactions and logs. */
  readonly all: Readonly<Record<string, string>>;
}

const MAX_LENGTH = 8_192;
/** An access token with many permissions, as long as /userinfo takes one: who asks about it needs an answer. */
const MAX_TOKEN_LENGTH = 16_384;

/** The body of a POST: a form, or JSON with string members (authentication-api section 0: both, everywhere). */
export function bodyParameters(request: FastifyRequest): Parameters {
  const body: unknown = request.body;
  if (body instanceof FormBody) return toParameters(body.form);
  if (body === undefined || body === null) return toParameters(parseForm(''));
  if (typeof body !== 'object' || Array.isArray(body)) throw oauthErrors.malformedRequest();
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue;
    values[name] = asText(name, value);
  }
  const wellFormed = Object.values(values).every((text) => text.isWellFormed() && !text.includes('\0'));
  return toParameters({ values, repeated: [], wellFormed });
}

/** The query string of a GET. */
export function queryParameters(request: FastifyRequest): Parameters {
  return toParameters(queryForm(request));
}

export function queryForm(request: FastifyRequest): Form {
  const start = request.url.indexOf('?');
  return parseForm(start < 0 ? '' : request.url.slice(start + 1));
}

export function toParameters(form: Form): Parameters {
  if (!form.wellFormed) throw oauthErrors.malformedRequest();
  const [repeated] = form.repeated;
  if (repeated !== undefined) throw oauthErrors.repeatedParameter({ name: repeated.slice(0, 64) });
  for (const [name, value] of Object.entries(form.values)) {
    const longest = name === 'token' ? MAX_TOKEN_LENGTH : MAX_LENGTH;
    if (value.length > longest) throw oauthErrors.tooLong({ name: name.slice(0, 64) });
  }
  const get = (name: string) => form.values[name] || undefined;
  return {
    get,
    require(name) {
      const value = get(name);
      if (value === undefined) throw oauthErrors.missingParameter({ name });
      return value;
    },
    all: form.values,
  };
}

export function isTooLong(value: string | undefined): boolean {
  return value !== undefined && value.length > MAX_LENGTH;
}

/** JSON bodies may carry scope as an array, and numbers where a string is meant (max_age). */
function asText(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (name === 'scope') {
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(' ');
    throw oauthErrors.scopeType();
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw oauthErrors.wrongType({ name: name.slice(0, 64) });
}
