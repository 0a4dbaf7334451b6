import type { Client } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Target } from '../access/resolve-access.ts';

export type ResponseMode = 'query' | 'form_post';

/** Where the answer of an /authorize request goes; known as soon as the client and its redirect URI are. */
export interface ReturnAddress {
  readonly client: Client;
  /** Registered for the client. */
  readonly redirectUri: string;
  /** Whether the request named it: then the redemption of the code must, too. */
  readonly isRedirectUriGiven: boolean;
  readonly responseMode: ResponseMode;
  readonly state: string | undefined;
}

/** An /authorize request that passed every check (authorize.ts lists them). */
export interface AuthorizationRequest extends ReturnAddress {
  readonly scope: string;
  readonly target: Target;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly prompt: 'none' | 'login' | 'select_account' | undefined;
  /** Seconds since the last proof of identity that the client accepts. */
  readonly maxAge: number | undefined;
  /** The one user that the answer may be about (id_token_hint). */
  readonly subject: string | undefined;
  readonly loginHint: string | undefined;
  /** The connection that the client asked for; it is enabled for the client. */
  readonly connection: Connection | undefined;
  readonly screenHint: 'signup' | undefined;
}
