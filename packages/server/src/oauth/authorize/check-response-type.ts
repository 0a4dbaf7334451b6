import type { Client } from '../../clients/client.ts';
import { authorizeErrors } from './authorize-errors.ts';
import { parseResponseType, type ResponseType, usesFrontChannel } from './response-type.ts';

/** Each way to get something needs its grant type: authorization_code for codes, implicit for what comes through the browser. */
export function checkResponseType(client: Client, asked: string | undefined): ResponseType {
  if (asked === undefined)
    throw authorizeErrors.invalidRequest({ reason: 'Missing required parameter: response_type' });
  const responseType = parseResponseType(asked);
  if (!responseType) throw authorizeErrors.unsupportedResponseType({ responseType: asked.slice(0, 64) });
  const needed = [
    ...(responseType.code ? ['authorization_code'] : []),
    ...(usesFrontChannel(responseType) ? ['implicit'] : []),
  ];
  for (const grantType of needed)
    if (!client.grantTypes.includes(grantType)) throw authorizeErrors.unauthorizedClient({ grantType });
  return responseType;
}
