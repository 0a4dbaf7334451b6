import type { Client } from '../../clients/client.ts';
import { authorizeErrors } from './authorize-errors.ts';

/** The claims of an ID token that this tenant gave to the client, however old it is; undefined where it gave none. */
export type ReadIdToken = (
  tenantId: string,
  client: Client,
  token: string,
) => Promise<Readonly<Record<string, unknown>> | undefined>;

/** The user that the client expects: the answer must be about nobody else (OpenID Connect Core section 3.1.2.2). */
export async function checkIdTokenHint(
  client: Client,
  hint: string | undefined,
  readIdToken: (token: string) => ReturnType<ReadIdToken>,
): Promise<string | undefined> {
  if (hint === undefined) return undefined;
  const claims = await readIdToken(hint);
  // An access token has another audience; a hint for another client would let it ask who somebody is.
  if (typeof claims?.sub !== 'string' || claims.aud !== client.clientId)
    throw authorizeErrors.invalidRequest({ reason: 'id_token_hint is no ID token of this client' });
  return claims.sub;
}
