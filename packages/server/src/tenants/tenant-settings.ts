import { type DeviceFlow, deviceFlowOf } from './device-flow.ts';
import type { Tenant } from './tenant.ts';

type Json = Readonly<Record<string, unknown>>;

/** A tenant's settings as the protocol needs them, defaults filled in. */
export interface TenantSettings {
  readonly friendlyName: string;
  readonly pictureUrl: string | undefined;
  readonly supportEmail: string | undefined;
  readonly supportUrl: string | undefined;
  /** Counts as asked for where a request names no audience. */
  readonly defaultAudience: string | undefined;
  /** The connection of the plain password grant. */
  readonly defaultDirectory: string | undefined;
  readonly defaultRedirectionUri: string | undefined;
  readonly allowedLogoutUrls: readonly string[];
  readonly enabledLocales: readonly string[];
  /** Whether /oauth/par is open. */
  readonly acceptsPushedRequests: boolean;
  /** In seconds, all four. */
  readonly sessionLifetime: number;
  readonly idleSessionLifetime: number;
  readonly ephemeralSessionLifetime: number;
  readonly idleEphemeralSessionLifetime: number;
  /** Whether a browser keeps the session's cookie when it is closed. */
  readonly isSessionCookiePersistent: boolean;
  readonly deviceFlow: DeviceFlow;
  /** Whether users are asked before a logout that proves nothing about their session. */
  readonly asksBeforeLogout: boolean;
  readonly publishesEndSession: boolean;
  readonly flags: Readonly<Record<string, boolean>>;
}

export const LIFETIMES = {
  session_lifetime: { hours: 168, mostHours: 8_760 },
  idle_session_lifetime: { hours: 72, mostHours: 2_400 },
  ephemeral_session_lifetime: { hours: 72, mostHours: 8_760 },
  idle_ephemeral_session_lifetime: { hours: 24, mostHours: 2_400 },
} as const;
export type LifetimeName = keyof typeof LIFETIMES;

const DEFAULT_FLAGS: Readonly<Record<string, boolean>> = {
  allow_changing_enable_sso: false,
  allow_legacy_delegation_grant_types: false,
  allow_legacy_ro_grant_types: false,
  allow_legacy_tokeninfo_endpoint: false,
  change_pwd_flow_v1: false,
  disable_clickjack_protection_headers: false,
  enable_apis_section: false,
  enable_client_connections: false,
  enable_dynamic_client_registration: false,
  enable_legacy_profile: false,
  enable_pipeline2: true,
  enable_public_signup_user_exists_error: false,
  enable_sso: true,
  no_disclose_enterprise_connections: false,
  revoke_refresh_token_grant: false,
};

const DEFAULTS: Json = {
  allowed_logout_urls: [],
  acr_values_supported: [],
  allow_organization_name_in_authentication_api: false,
  client_id_metadata_document_supported: false,
  customize_mfa_in_postlogin_action: false,
  default_audience: '',
  default_directory: '',
  default_redirection_uri: '',
  enabled_locales: ['en'],
  mtls: { enable_endpoint_aliases: false },
  oidc_logout: { rp_logout_end_session_endpoint_discovery: true },
  phone_consolidated_experience: false,
  picture_url: '',
  pushed_authorization_requests_supported: false,
  resource_parameter_profile: 'audience',
  sandbox_version: '22',
  sandbox_versions_available: ['22'],
  session_cookie: { mode: 'persistent' },
  sessions: { oidc_logout_prompt_enabled: true },
  support_email: '',
  support_url: '',
};

type Named = Pick<Tenant, 'tenantId' | 'settings'>;

/** The settings with their defaults. */
export function settingsOf(tenant: Named): TenantSettings {
  const { settings } = tenant;
  const text = (name: string) => textOf(settings[name]);
  const seconds = (name: LifetimeName) => Math.round(lifetimeInHours(settings, name) * 3_600);
  return {
    friendlyName: text('friendly_name') ?? tenant.tenantId,
    pictureUrl: text('picture_url'),
    supportEmail: text('support_email'),
    supportUrl: text('support_url'),
    defaultAudience: text('default_audience'),
    defaultDirectory: text('default_directory'),
    defaultRedirectionUri: text('default_redirection_uri'),
    allowedLogoutUrls: textsOf(settings.allowed_logout_urls),
    acceptsPushedRequests: settings.pushed_authorization_requests_supported === true,
    enabledLocales: textsOf(settings.enabled_locales ?? DEFAULTS.enabled_locales),
    sessionLifetime: seconds('session_lifetime'),
    idleSessionLifetime: seconds('idle_session_lifetime'),
    ephemeralSessionLifetime: seconds('ephemeral_session_lifetime'),
    idleEphemeralSessionLifetime: seconds('idle_ephemeral_session_lifetime'),
    isSessionCookiePersistent: objectOf(settings.session_cookie).mode !== 'non-persistent',
    deviceFlow: deviceFlowOf(settings.device_flow),
    asksBeforeLogout: objectOf(settings.sessions).oidc_logout_prompt_enabled !== false,
    publishesEndSession: objectOf(settings.oidc_logout).rp_logout_end_session_endpoint_discovery !== false,
    flags: flagsOf(settings),
  };
}

/** The settings as they go over the wire: lifetimes in hours, which may be fractions. */
export function settingsToWire({ tenantId, settings }: Named): Json {
  const wire: Record<string, unknown> = { ...DEFAULTS, friendly_name: tenantId, ...settings, flags: flagsOf(settings) };
  for (const name of lifetimeNames) {
    delete wire[`${name}_in_minutes`];
    wire[name] = lifetimeInHours(settings, name);
  }
  return wire;
}

export const lifetimeNames = Object.keys(LIFETIMES).filter((name): name is LifetimeName => name in LIFETIMES);

function lifetimeInHours(settings: Json, name: LifetimeName): number {
  const minutes = settings[`${name}_in_minutes`];
  return typeof minutes === 'number' ? minutes / 60 : LIFETIMES[name].hours;
}

function flagsOf(settings: Json): Record<string, boolean> {
  const own = Object.entries(objectOf(settings.flags)).flatMap(([name, value]) =>
    typeof value === 'boolean' ? [[name, value] as const] : [],
  );
  return { ...DEFAULT_FLAGS, ...Object.fromEntries(own) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
