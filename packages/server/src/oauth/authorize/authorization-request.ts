import type { Client } from '../../clients/client.ts';
import type { Connection } from '../../connections/connection.ts';
import type { Protocol } from '../../pipeline/login-facts.ts';
import type { Target } from '../access/resolve-access.ts';
import type { ResponseMode } from './response-mode.ts';
import type { ResponseType } from './response-type.ts';

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

export type Prompt = 'none' | 'login' | 'consent' | 'select_account';

export type ScreenHint = 'signup' | 'login' | 'reset-password';

/** What a user logs in for, whatever asks for it: an /authorize request or a device. */
export interface LoginRequest {
  readonly client: Client;
  readonly scope: string;
  /** All parameters as they came, secrets included. */
  readonly parameters: Readonly<Record<string, string>>;
  /** As tenant code knows the flow. */
  readonly protocol: Protocol;
  readonly target: Target;
  /** What the user must be asked, however much is known; `none` stands alone. */
  readonly prompts: ReadonlySet<Prompt>;
  /** Whether only this client can receive the answer (is-verifiable.ts). */
  readonly isVerifiable: boolean;
  /** Seconds since the last proof of identity that the client accepts. */
  readonly maxAge: number | undefined;
  /** The one user that the answer may be about (id_token_hint). */
  readonly subject: string | undefined;
  readonly loginHint: string | undefined;
  /** The connection that the client asked for; it is enabled for the client. */
  readonly connection: Connection | undefined;
  readonly screenHint: ScreenHint | undefined;
}

/** An /authorize request that passed every check (authorize.ts lists them). */
export interface AuthorizationRequest extends ReturnAddress, LoginRequest {
  readonly client: Client;
  readonly responseType: ResponseType;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  /** The key that the code is bound to (RFC 9449 section 10). */
  readonly dpopJkt: string | undefined;
  /** `ext-…` parameters by their whole names. */
  readonly extensions: Readonly<Record<string, string>>;
}
