import type { Client } from '../../clients/client.ts';
import type { ResponseMode } from './authorization-request.ts';
import { authorizeErrors } from './authorize-errors.ts';

/** Only codes are issued here (RFC 9700 section 2.1.2). */
export function checkResponseType(client: Client, responseType: string | undefined): void {
  if (responseType === undefined)
    throw authorizeErrors.invalidRequest({ reason: 'Missing required parameter: response_type' });
  if (responseType !== 'code')
    throw authorizeErrors.unsupportedResponseType({ responseType: responseType.slice(0, 64) });
  if (!client.grantTypes.includes('authorization_code')) throw authorizeErrors.unauthorizedClient();
}

/** Codes travel in the query, or in a form that the browser posts (OAuth 2.0 Form Post Response Mode). */
export function readResponseMode(responseMode: string | undefined, redirectUri: string): ResponseMode | undefined {
  if (responseMode === undefined || responseMode === 'query') return 'query';
  return responseMode === 'form_post' && /^https?:/i.test(redirectUri) ? 'form_post' : undefined;
}
