import type { Json } from '../kit/json-values.ts';
import type { Environment } from '../tenants/tenant.ts';
import type { MatchRules } from './callback-match.ts';

export type TokenEndpointAuthMethod = 'none' | 'client_secret_post' | 'client_secret_basic';
export type SigningAlgorithm = 'RS256' | 'HS256' | 'PS256' | 'RS512';

/** An application as the protocol needs it. `body` is its wire form without ids and secrets. */
export interface Client {
  readonly clientId: string;
  readonly name: string;
  readonly isFirstParty: boolean;
  /** "All Applications": carries the tenant's custom login page, and gets no tokens. */
  readonly isGlobal: boolean;
  /** Ours (the dashboard): not listed, not changed and not deleted through the API. */
  readonly isSystem: boolean;
  readonly appType: string | undefined;
  readonly callbacks: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly webOrigins: readonly string[];
  readonly allowedLogoutUrls: readonly string[];
  readonly grantTypes: readonly string[];
  /** Undefined where none was ever set: then post and basic are interchangeable; otherwise the one set is enforced. */
  readonly tokenEndpointAuthMethod: TokenEndpointAuthMethod | undefined;
  /** Set where the client authenticates with private_key_jwt, and with nothing else. */
  readonly privateKeyCredentials: readonly PrivateKeyCredential[] | undefined;
  /** Set where the client authenticates with a certificate (RFC 8705 section 2), and with nothing else. */
  readonly tlsCredentials: readonly TlsCredential[] | undefined;
  /** No token that is not bound to a key of the client. */
  readonly requiresProofOfPossession: boolean;
  /** Keys for signed authorization requests (RFC 9101). */
  readonly requestObject: RequestObjectConfiguration | undefined;
  readonly pushedRequests: PushedRequestConfiguration;
  /** Somebody else's application without the exceptions of third_party_security_mode `permissive`. */
  readonly isStrictThirdParty: boolean;
  readonly secret: string | undefined;
  readonly jwtConfiguration: JwtConfiguration;
  readonly refreshToken: RefreshTokenConfiguration;
  /** Types of token exchange profiles that the client may use (token_exchange.allow_any_profile_of_type). */
  readonly exchangeProfileTypes: readonly string[];
  readonly oidcConformant: boolean;
  readonly initiateLoginUri: string | undefined;
  readonly logoUri: string | undefined;
  readonly crossOriginAuthentication: boolean;
  readonly isTokenEndpointIpHeaderTrusted: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly body: Json;
}

/** A public key that a client signs its assertions with (RFC 7523). */
export interface PrivateKeyCredential {
  readonly id: string;
  readonly kid: string;
  readonly algorithm: 'RS256' | 'RS384' | 'PS256';
  readonly publicJwk: Json;
  readonly expiresAt: Date | undefined;
}

/** A certificate that a client authenticates with: any of a subject that an authority vouches for, or one to the letter. */
export type TlsCredential = { readonly expiresAt: Date | undefined } & (
  | { readonly method: 'tls_client_auth'; readonly subjectDn: string }
  | { readonly method: 'self_signed_tls_client_auth'; readonly thumbprint: string }
);

export interface RequestObjectConfiguration {
  readonly isRequired: boolean;
  readonly credentials: readonly PrivateKeyCredential[];
}

export interface PushedRequestConfiguration {
  readonly isRequired: boolean;
  readonly lifetimeInSeconds: number;
}

export interface JwtConfiguration {
  readonly lifetimeInSeconds: number;
  readonly alg: SigningAlgorithm;
  /** The secret is base64: HS256 signs with its decoded bytes. */
  readonly secretEncoded: boolean;
}

export interface RefreshTokenConfiguration {
  readonly rotationType: 'rotating' | 'non-rotating';
  readonly expirationType: 'expiring' | 'non-expiring';
  /** Seconds in which a rotated token may be presented again. */
  readonly leeway: number;
  readonly tokenLifetime: number;
  readonly infiniteTokenLifetime: boolean;
  readonly idleTokenLifetime: number;
  readonly infiniteIdleTokenLifetime: boolean;
}

/** A client that nobody can tell from another one that uses its id (RFC 6749 section 2.1). */
export function isPublic(client: Pick<Client, 'tokenEndpointAuthMethod'>): boolean {
  return client.tokenEndpointAuthMethod === 'none';
}

/** How the URLs that a client sends are compared with those it registered. */
export function matchRules(client: Pick<Client, 'appType'>, tenant: { environment: Environment }): MatchRules {
  return {
    wildcards: true,
    localhostAny: tenant.environment !== 'production',
    loopbackPort: client.appType === 'native',
  };
}
