import type { Client } from '../clients/client.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';

/** What a user allowed an application to do. Auth0's Management API calls it a grant; our token grants are another thing. */
export interface Consent extends ConsentKey {
  /** 24 hexadecimal characters. */
  readonly id: string;
  readonly scopes: readonly string[];
}

/** A user says yes once for each application and API. */
export interface ConsentKey {
  readonly userId: string;
  readonly clientId: string;
  /** The identifier of the API; empty where the application asks for the user's profile alone. */
  readonly audience: string;
}

export function covers(consent: Pick<Consent, 'scopes'> | undefined, scopes: readonly string[]): boolean {
  const allowed = new Set(consent?.scopes);
  return consent !== undefined && scopes.every((scope) => allowed.has(scope));
}

/**
 * Whether users must be asked at all (authentication-api section 2, decision 15). Strangers' applications always ask. Our own
 * ask only on behalf of an API that wants it, or where the answer goes to an address that any program can take (localhost,
 * a custom scheme): then nobody knows that it is our own application that asks.
 */
export function needsConsent(
  client: Pick<Client, 'isFirstParty'>,
  api: Pick<ResourceServer, 'skipConsentForVerifiableFirstPartyClients'> | undefined,
  isVerifiable: boolean,
): boolean {
  if (!client.isFirstParty) return true;
  return api !== undefined && !(api.skipConsentForVerifiableFirstPartyClients && isVerifiable);
}
