import { flagOf, isObject, type Json, numberOf, objectOf, oneOf, textOf, textsOf } from '../kit/json-values.ts';
import type { Client, PrivateKeyCredential, RequestObjectConfiguration, TlsCredential } from './client.ts';
import { jwtConfigurationOf, refreshTokenOf } from './client-defaults.ts';
import { credentialLists } from './client-rules.ts';
import type { ClientCredential } from './credential.ts';

export interface ClientRow {
  readonly client_id: string;
  readonly seq: string;
  readonly name: string;
  readonly is_global: boolean;
  readonly is_system: boolean;
  readonly body: Json;
  readonly secret: Buffer | null;
}

/** Measured at Auth0; its reference says 90. */
const PUSHED_REQUEST_SECONDS = 30;

export function fromRow(row: ClientRow, secret: string | undefined, credentials: readonly ClientCredential[]): Client {
  const { body } = row;
  return {
    clientId: row.client_id,
    name: row.name,
    isFirstParty: flagOf(body.is_first_party) ?? true,
    isGlobal: row.is_global,
    isSystem: row.is_system,
    appType: textOf(body.app_type),
    callbacks: textsOf(body.callbacks),
    allowedOrigins: textsOf(body.allowed_origins),
    webOrigins: textsOf(body.web_origins),
    allowedLogoutUrls: textsOf(body.allowed_logout_urls),
    grantTypes: textsOf(body.grant_types),
    tokenEndpointAuthMethod: oneOf(
      ['none', 'client_secret_post', 'client_secret_basic'],
      body.token_endpoint_auth_method,
    ),
    privateKeyCredentials: privateKeys(body, credentials),
    tlsCredentials: tlsCredentials(body, credentials),
    requiresProofOfPossession: flagOf(body.require_proof_of_possession) ?? false,
    requestObject: requestObjectOf(body, credentials),
    pushedRequests: {
      isRequired: flagOf(body.require_pushed_authorization_requests) ?? false,
      lifetimeInSeconds: numberOf(body.par_request_expiry) ?? PUSHED_REQUEST_SECONDS,
    },
    isStrictThirdParty: flagOf(body.is_first_party) === false && body.third_party_security_mode !== 'permissive',
    secret,
    jwtConfiguration: jwtConfigurationOf(body.jwt_configuration),
    refreshToken: refreshTokenOf(body.refresh_token, body.app_type),
    exchangeProfileTypes: textsOf(objectOf(body.token_exchange).allow_any_profile_of_type),
    oidcConformant: flagOf(body.oidc_conformant) ?? false,
    initiateLoginUri: textOf(body.initiate_login_uri) || undefined,
    logoUri: textOf(body.logo_uri) || undefined,
    crossOriginAuthentication: flagOf(body.cross_origin_authentication) ?? false,
    isTokenEndpointIpHeaderTrusted: flagOf(body.is_token_endpoint_ip_header_trusted) ?? false,
    metadata: textMap(body.client_metadata),
    body,
  };
}

function privateKeys(body: Json, credentials: readonly ClientCredential[]): PrivateKeyCredential[] | undefined {
  const list = credentialLists(body).find(({ path }) => path[1] === 'private_key_jwt');
  return list && keysOf(list.entries, credentials);
}

function requestObjectOf(body: Json, credentials: readonly ClientCredential[]): RequestObjectConfiguration | undefined {
  if (!isObject(body.signed_request_object)) return undefined;
  const list = credentialLists(body).find(({ path }) => path[0] === 'signed_request_object');
  return {
    isRequired: flagOf(body.signed_request_object.required) ?? false,
    credentials: keysOf(list?.entries ?? [], credentials),
  };
}

function keysOf(entries: readonly Json[], credentials: readonly ClientCredential[]): PrivateKeyCredential[] {
  const ids = new Set(entries.map(({ id }) => id));
  return credentials.flatMap((credential) => {
    const { id, kid, alg, publicJwk, expiresAt } = credential;
    const usable = ids.has(id) && kid !== undefined && alg !== undefined && publicJwk !== undefined;
    return usable ? [{ id, kid, algorithm: alg, publicJwk, expiresAt }] : [];
  });
}

function tlsCredentials(body: Json, credentials: readonly ClientCredential[]): TlsCredential[] | undefined {
  const lists = credentialLists(body).filter(({ path }) => path[1]?.endsWith('tls_client_auth'));
  if (lists.length === 0) return undefined;
  return lists.flatMap(({ path, entries }) => {
    const ids = new Set(entries.map(({ id }) => id));
    return credentials.flatMap(({ id, subjectDn, thumbprintSha256, credentialType, expiresAt }): TlsCredential[] => {
      if (!ids.has(id)) return [];
      if (path[1] === 'tls_client_auth')
        return subjectDn === undefined ? [] : [{ method: 'tls_client_auth', subjectDn, expiresAt }];
      // Only what was registered as a certificate counts to the letter.
      return thumbprintSha256 === undefined || credentialType !== 'x509_cert'
        ? []
        : [{ method: 'self_signed_tls_client_auth', thumbprint: thumbprintSha256, expiresAt }];
    });
  });
}

function textMap(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  );
}
