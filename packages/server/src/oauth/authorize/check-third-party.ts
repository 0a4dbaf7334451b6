import type { Client } from '../../clients/client.ts';
import type { Parameters } from '../parameters.ts';
import { authorizeErrors } from './authorize-errors.ts';

const STANDARD: ReadonlySet<string> = new Set([
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'audience',
  'resource',
  'nonce',
  'response_mode',
  'prompt',
  'max_age',
  'display',
  'connection',
  'organization',
  'login_hint',
  'ui_locales',
  'acr_values',
  'code_challenge',
  'code_challenge_method',
  'dpop_jkt',
  'authorization_details',
  // Telemetry of the SDKs.
  'auth0Client',
]);

/** Applications of strangers get what OAuth 2.1 gives: standard parameters, codes alone, always with PKCE (authentication-api section 2). */
export function checkThirdParty(client: Client, parameters: Parameters): void {
  if (!client.isStrictThirdParty) return;
  for (const [name, value] of Object.entries(parameters.all)) {
    if (value !== '' && !STANDARD.has(name))
      throw authorizeErrors.invalidRequest({
        reason: `Parameter is not allowed for third-party applications: ${name.slice(0, 64)}`,
      });
  }
  const responseType = parameters.get('response_type');
  if (responseType !== undefined && responseType !== 'code')
    throw authorizeErrors.unsupportedResponseType({ responseType: responseType.slice(0, 64) });
  if (parameters.get('code_challenge') === undefined)
    throw authorizeErrors.invalidRequest({
      reason: 'Missing required parameter: code_challenge. A third-party application must use PKCE.',
    });
}
