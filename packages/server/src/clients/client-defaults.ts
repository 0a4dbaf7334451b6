import { flagOf, type Json, numberOf, objectOf, oneOf, withoutNulls } from '../kit/json-values.ts';
import type { JwtConfiguration, RefreshTokenConfiguration } from './client.ts';

const PUBLIC_APP_TYPES: readonly unknown[] = ['spa', 'native'];

/** The wire body of a new client: what was asked for over what Auth0 fills in. */
export function withDefaults(given: Json): Json {
  const asked = withoutNulls(given);
  const isPublic = PUBLIC_APP_TYPES.includes(asked.app_type) || asked.token_endpoint_auth_method === 'none';
  const defaults: Record<string, unknown> = {
    is_first_party: true,
    is_token_endpoint_ip_header_trusted: false,
    oidc_conformant: false,
    sso_disabled: false,
    cross_origin_authentication: false,
    custom_login_page_on: true,
    grant_types: defaultGrantTypes(asked.app_type, isPublic),
  };
  if (PUBLIC_APP_TYPES.includes(asked.app_type) && !asked.client_authentication_methods) {
    defaults.token_endpoint_auth_method = 'none';
  }
  return {
    ...defaults,
    ...asked,
    jwt_configuration: jwtConfigurationBody(asked.jwt_configuration),
    refresh_token: refreshTokenBody(asked.refresh_token, asked.app_type),
  };
}

function defaultGrantTypes(appType: unknown, isPublic: boolean): readonly string[] {
  if (appType === 'non_interactive') return ['client_credentials'];
  if (appType === 'resource_server') return [];
  const interactive = ['authorization_code', 'implicit', 'refresh_token'];
  return isPublic ? interactive : [...interactive, 'client_credentials'];
}

export function jwtConfigurationBody(given: unknown): Json {
  return { alg: 'RS256', lifetime_in_seconds: 36_000, secret_encoded: false, ...withoutNulls(objectOf(given)) };
}

const DAY = 86_400;
const NEVER_EXPIRING = {
  rotation_type: 'non-rotating',
  expiration_type: 'non-expiring',
  leeway: 0,
  token_lifetime: 31_557_600,
  infinite_token_lifetime: true,
  idle_token_lifetime: 30 * DAY,
  infinite_idle_token_lifetime: true,
};
const EXPIRING = {
  rotation_type: 'rotating',
  expiration_type: 'expiring',
  leeway: 0,
  token_lifetime: 30 * DAY,
  infinite_token_lifetime: false,
  idle_token_lifetime: 15 * DAY,
  infinite_idle_token_lifetime: false,
};

/** A single-page application's refresh tokens rotate and expire unless it says otherwise. */
export function refreshTokenBody(given: unknown, appType: unknown): Json {
  const asked = withoutNulls(objectOf(given));
  const expires = asked.expiration_type === undefined ? appType === 'spa' : asked.expiration_type === 'expiring';
  return { ...(expires ? EXPIRING : NEVER_EXPIRING), ...asked };
}

export function jwtConfigurationOf(value: unknown): JwtConfiguration {
  const body = objectOf(value);
  return {
    lifetimeInSeconds: numberOf(body.lifetime_in_seconds) ?? 36_000,
    alg: oneOf(['RS256', 'HS256', 'PS256', 'RS512'], body.alg) ?? 'RS256',
    secretEncoded: flagOf(body.secret_encoded) ?? false,
  };
}

export function refreshTokenOf(value: unknown, appType: unknown): RefreshTokenConfiguration {
  const body = refreshTokenBody(value, appType);
  const expires = body.expiration_type === 'expiring';
  return {
    rotationType: oneOf(['rotating', 'non-rotating'], body.rotation_type) ?? 'non-rotating',
    expirationType: expires ? 'expiring' : 'non-expiring',
    leeway: numberOf(body.leeway) ?? 0,
    tokenLifetime: numberOf(body.token_lifetime) ?? EXPIRING.token_lifetime,
    infiniteTokenLifetime: !expires || body.infinite_token_lifetime === true,
    idleTokenLifetime: numberOf(body.idle_token_lifetime) ?? EXPIRING.idle_token_lifetime,
    infiniteIdleTokenLifetime: !expires || body.infinite_idle_token_lifetime === true,
  };
}
