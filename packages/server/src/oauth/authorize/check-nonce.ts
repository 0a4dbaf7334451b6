import { parseScope } from '../access/scope.ts';
import { authorizeErrors } from './authorize-errors.ts';
import type { ResponseType } from './response-type.ts';

/**
 * An ID token that comes through the browser must be tied to this very request, or a stolen one could be slipped in
 * (OpenID Connect Core sections 3.2.2.1 and 3.3.2.11). Without the scope openid there is no ID token to ask for.
 */
export function checkNonce(responseType: ResponseType, nonce: string | undefined, scope: string | undefined): void {
  if (!responseType.idToken) return;
  if (nonce === undefined) throw authorizeErrors.invalidRequest({ reason: 'Missing required parameter: nonce' });
  if (!parseScope(scope).includes('openid'))
    throw authorizeErrors.invalidRequest({ reason: 'response_type id_token needs the scope openid' });
}
