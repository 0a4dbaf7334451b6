import type { Client } from '../../clients/client.ts';
import { authorizeErrors } from './authorize-errors.ts';

/** base64url of a SHA-256. */
const S256_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** RFC 7636 with S256 alone; public clients must use it (RFC 9700 section 2.1.1). */
export function checkPkce(
  client: Client,
  challenge: string | undefined,
  method: string | undefined,
): string | undefined {
  if (challenge === undefined) {
    if (method !== undefined)
      throw authorizeErrors.invalidRequest({ reason: 'Missing required parameter: code_challenge' });
    if (client.tokenEndpointAuthMethod === 'none')
      throw authorizeErrors.invalidRequest({
        reason: 'Missing required parameter: code_challenge. A public client must use PKCE.',
      });
    return undefined;
  }
  if (method !== 'S256') throw authorizeErrors.invalidRequest({ reason: 'code_challenge_method must be S256' });
  if (!S256_CHALLENGE.test(challenge))
    throw authorizeErrors.invalidRequest({ reason: 'code_challenge must be a base64url encoded SHA-256' });
  return challenge;
}
