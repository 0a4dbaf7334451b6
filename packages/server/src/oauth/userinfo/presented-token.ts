import type { FastifyRequest } from 'fastify';
import { FormBody } from '../../http/body-parsers.ts';
import { oauthErrors } from '../oauth-errors.ts';
import { queryForm } from '../parameters.ts';

const SEVERAL_TOKENS = 'Bearer realm="Users", error="invalid_request"';
const MAX_TOKEN = 16_384;

/**
 * The access token of a request: in the Authorization header, as a bearer token or with a DPoP proof, in the form of a POST, or
 * in the query of a GET (RFC 6750 section 2, RFC 9449 section 7.1). RFC 9700 section 4.3.2 forbids the last, but passport-auth0
 * knows no other way. We log no query; a proxy in front may.
 */
export function presentedToken(request: FastifyRequest): { scheme: 'Bearer' | 'DPoP'; token: string } | undefined {
  const [, name, header] = /^(Bearer|DPoP) +([^\s]+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const form = request.body instanceof FormBody ? request.body.form : queryForm(request);
  const parameter = form.values.access_token;
  // One token, sent in one way (RFC 6750 section 2): whoever looks at one and serves by the other can be tricked.
  if ((header !== undefined && parameter !== undefined) || form.repeated.includes('access_token'))
    throw oauthErrors.severalTokens({}, { headers: { 'www-authenticate': SEVERAL_TOKENS } });
  const token = header ?? parameter;
  if (token === undefined || token.length > MAX_TOKEN) return undefined;
  return { scheme: name?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
}
