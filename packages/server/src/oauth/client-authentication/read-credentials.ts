import { oauthErrors } from '../oauth-errors.ts';
import type { Parameters } from '../parameters.ts';
import { ASSERTION_TYPE, assertedClientId } from './private-key-jwt.ts';

export type ClientCredentials =
  | { readonly method: 'none'; readonly clientId: string }
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post';
      readonly clientId: string;
      readonly secret: string;
    }
  | { readonly method: 'private_key_jwt'; readonly clientId: string; readonly assertion: string };

/** Who tried the Authorization header is told the scheme that it takes (RFC 6749 section 5.2). */
export const BASIC_CHALLENGE = { headers: { 'www-authenticate': 'Basic realm="clients", charset="UTF-8"' } } as const;

/** Reads the one authentication method that a request uses; two at once are refused (RFC 6749 section 2.3). */
export function readCredentials(authorization: string | undefined, parameters: Parameters): ClientCredentials {
  const basic = readBasic(authorization);
  const secret = parameters.get('client_secret');
  const assertion = parameters.get('client_assertion');
  if ([basic, secret, assertion].filter((way) => way !== undefined).length > 1)
    throw oauthErrors.severalAuthentications();
  const named = parameters.get('client_id');
  if (basic) {
    if (named !== undefined && named !== basic.clientId) throw oauthErrors.invalidParameter({ name: 'client_id' });
    return { method: 'client_secret_basic', ...basic };
  }
  if (assertion !== undefined) {
    if (parameters.get('client_assertion_type') !== ASSERTION_TYPE)
      throw oauthErrors.invalidParameter({ name: 'client_assertion_type' });
    const clientId = named ?? assertedClientId(assertion);
    if (clientId === undefined) throw oauthErrors.invalidClient();
    return { method: 'private_key_jwt', clientId, assertion };
  }
  const clientId = parameters.require('client_id');
  return secret === undefined ? { method: 'none', clientId } : { method: 'client_secret_post', clientId, secret };
}

/** `Basic` with form-encoded id and secret (RFC 6749 section 2.3.1). Other schemes are none of our business. */
function readBasic(authorization: string | undefined): { clientId: string; secret: string } | undefined {
  if (!/^Basic(?: |$)/i.test(authorization ?? '')) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/=_-]{1,2048})$/i.exec(authorization ?? '')?.[1] ?? '';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // A broken header is an authentication that failed, never none at all.
  if (colon < 1) throw oauthErrors.unauthorized({}, BASIC_CHALLENGE);
  return { clientId: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) };
}

/** Many clients send secrets unencoded: what is no valid encoding is taken as it stands. */
function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
