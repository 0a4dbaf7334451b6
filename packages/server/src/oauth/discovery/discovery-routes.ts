import type { FastifyInstance, FastifyRequest } from 'fastify';
import { aliasOf, hasMtlsAliases } from '../../http/mtls-alias.ts';
import { settingsOf } from '../../tenants/tenant-settings.ts';
import { OIDC_SCOPES } from '../access/scope.ts';
import { sendsIssuer } from '../authorize/respond.ts';
import { DEVICE_GRANT } from '../device/device-code.ts';
import { DPOP_ALGORITHMS } from '../possession/dpop-proof.ts';

interface Parts {
  readonly jwks: (tenantId: string) => Promise<{ keys: readonly unknown[] }>;
  /** Whether a proxy tells us the certificates of clients. */
  readonly takesCertificates: boolean;
}

/** Keys may be cached for a few minutes: a rotation publishes the next key long before it signs. */
const CACHE = 'public, max-age=15, stale-while-revalidate=15, stale-if-error=86400';

/** Discovery (OpenID Connect Discovery 1.0, RFC 8414) and keys: authentication-api section 1. It names what is built, and no more. */
export function discoveryRoutes(app: FastifyInstance, { jwks, takesCertificates }: Parts): void {
  for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
    app.get(path, async (request, reply) =>
      reply
        .headers({ 'access-control-allow-origin': '*', 'cache-control': CACHE })
        .send(discoveryDocument(request, takesCertificates)),
    );
  }
  app.get('/.well-known/jwks.json', async (request, reply) =>
    reply
      .headers({ 'access-control-allow-origin': '*', 'cache-control': CACHE })
      .send(await jwks(request.tenant.tenantId)),
  );
}

export function discoveryDocument(
  request: Pick<FastifyRequest, 'origin' | 'tenant'>,
  takesCertificates: boolean,
): Record<string, unknown> {
  const { origin, tenant } = request;
  const proofs = [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    ...(takesCertificates ? ['tls_client_auth', 'self_signed_tls_client_auth'] : []),
  ];
  return {
    issuer: `${origin}/`,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    device_authorization_endpoint: `${origin}/oauth/device/code`,
    userinfo_endpoint: `${origin}/userinfo`,
    jwks_uri: `${origin}/.well-known/jwks.json`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    introspection_endpoint: `${origin}/oauth/introspect`,
    ...(settingsOf(tenant).publishesEndSession && { end_session_endpoint: `${origin}/oidc/logout` }),
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    ...(settingsOf(tenant).acceptsPushedRequests && { pushed_authorization_request_endpoint: `${origin}/oauth/par` }),
    scopes_supported: [...OIDC_SCOPES],
    response_types_supported: [
      'code',
      'token',
      'id_token',
      'code token',
      'code id_token',
      'token id_token',
      'code token id_token',
    ],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    grant_types_supported: [
      'authorization_code',
      'implicit',
      'client_credentials',
      'password',
      'http://auth0.com/oauth/grant-type/password-realm',
      'refresh_token',
      DEVICE_GRANT,
    ],
    dpop_signing_alg_values_supported: [...DPOP_ALGORITHMS],
    code_challenge_methods_supported: ['S256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['HS256', 'RS256', 'PS256'],
    token_endpoint_auth_methods_supported: [...proofs, 'none'],
    introspection_endpoint_auth_methods_supported: proofs,
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'RS384', 'PS256'],
    claims_supported: [
      'aud',
      'auth_time',
      'created_at',
      'email',
      'email_verified',
      'exp',
      'family_name',
      'given_name',
      'iat',
      'identities',
      'iss',
      'name',
      'nickname',
      'phone_number',
      'picture',
      'sub',
    ],
    ...(takesCertificates && certificateMembers(request)),
    claims_parameter_supported: false,
    request_parameter_supported: true,
    request_object_signing_alg_values_supported: ['RS256', 'RS384', 'PS256'],
    request_uri_parameter_supported: false,
    require_request_uri_registration: false,
    authorization_response_iss_parameter_supported: sendsIssuer(request),
  };
}

/** RFC 8705 sections 3.3 and 5; the alias is another host, which alone asks for certificates. */
function certificateMembers({ origin, tenant }: Pick<FastifyRequest, 'origin' | 'tenant'>): Record<string, unknown> {
  const alias = aliasOf(origin);
  return {
    tls_client_certificate_bound_access_tokens: true,
    ...(hasMtlsAliases(tenant) && {
      mtls_endpoint_aliases: {
        token_endpoint: `${alias}/oauth/token`,
        userinfo_endpoint: `${alias}/userinfo`,
        revocation_endpoint: `${alias}/oauth/revoke`,
        introspection_endpoint: `${alias}/oauth/introspect`,
        ...(settingsOf(tenant).acceptsPushedRequests && {
          pushed_authorization_request_endpoint: `${alias}/oauth/par`,
        }),
      },
    }),
  };
}
