import { type Client, isPublic } from '../../clients/client.ts';
import type { ResourceServer } from '../../resource-servers/resource-server.ts';
import { oauthErrors } from '../oauth-errors.ts';
import type { Confirmation, Possession } from './possession.ts';

/**
 * The key that an access token is bound to. An API chooses the way (proof_of_possession.mechanism) and may insist on it, as
 * may the client; without a way chosen its tokens are bound to nothing. A token for /userinfo alone takes either.
 */
export function confirmAccess(
  client: Pick<Client, 'tokenEndpointAuthMethod' | 'requiresProofOfPossession'>,
  api: Pick<ResourceServer, 'proofOfPossession'> | undefined,
  possession: Possession,
): Confirmation | undefined {
  const rule = api?.proofOfPossession;
  const confirmation = confirmationBy(api === undefined ? 'any' : rule?.mechanism, possession, isPublic(client));
  const isRequired =
    client.requiresProofOfPossession || (rule?.isRequired && (rule.requiredFor === 'all_clients' || isPublic(client)));
  if (isRequired && !confirmation) {
    throw rule?.mechanism === 'mtls' ? oauthErrors.certificateRequired() : oauthErrors.proofRequired();
  }
  return confirmation;
}

/** A public client's certificate says nothing: nobody registered it, and nothing else tells whose it is. */
function confirmationBy(
  mechanism: 'dpop' | 'mtls' | 'any' | undefined,
  { jkt, certificate }: Possession,
  isPublicClient: boolean,
): Confirmation | undefined {
  if (jkt !== undefined && (mechanism === 'dpop' || mechanism === 'any')) return { jkt };
  const isBound = certificate !== undefined && !isPublicClient && (mechanism === 'mtls' || mechanism === 'any');
  return isBound ? { 'x5t#S256': certificate } : undefined;
}
