import { flagOf, isObject, type Json, objectOf, oneOf, textOf, textsOf } from '../kit/json-values.ts';
import type { Client, PrivateKeyCredential } from './client.ts';
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

export function fromRow(row: ClientRow, secret: string | undefined, credentials: readonly ClientCredential[]): Client {
  const { body } = row;
  const methods = body.client_authentication_methods;
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
    hasForeignAuthMethod: isObject(methods) && !methods.private_key_jwt,
    secret,
    jwtConfiguration: jwtConfigurationOf(body.jwt_configuration),
    refreshToken: refreshTokenOf(body.refresh_token, body.app_type),
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
  if (!list) return undefined;
  const ids = new Set(list.entries.map(({ id }) => id));
  return credentials.flatMap((credential) => {
    const { id, kid, alg, publicJwk, expiresAt } = credential;
    const usable = ids.has(id) && kid !== undefined && alg !== undefined && publicJwk !== undefined;
    return usable ? [{ id, kid, algorithm: alg, publicJwk, expiresAt }] : [];
  });
}

function textMap(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(value)).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  );
}
