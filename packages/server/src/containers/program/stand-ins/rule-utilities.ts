import { requireStored } from '../stored-modules.ts';

// @auth0/rule-utilities was never on npm. The same interface in our own words: a session token for the site that a rule
// redirects to (HS256, with the user and the address of the login), and collected changes of a user.

interface RuleContext {
  readonly protocol?: string;
  readonly multifactor?: unknown;
  readonly request?: { ip?: string; hostname?: string; query?: Record<string, string> };
  redirect?: { url?: string };
}

interface RuleUser {
  user_id?: string;
  user_metadata?: Metadata;
  app_metadata?: Metadata;
  [attribute: string]: unknown;
}

type Metadata = Record<string, unknown>;

interface JsonWebToken {
  sign(claims: object, secret: unknown, options: object): string;
  verify(token: unknown, secret: unknown, options: object): { exp?: number };
}

interface Settings {
  readonly SESSION_TOKEN_SECRET?: string;
  readonly SESSION_TOKEN_EXPIRES_IN?: string | number;
}

type RedirectOptions = { sessionToken?: unknown; generateSessionToken?: boolean };

/** No browser waits in these, or it was sent away once already. */
const NO_REDIRECT = ['oauth2-resource-owner', 'oauth2-refresh-token', 'oauth2-password', 'redirect-callback'];

export function ruleUtilities(version: string | undefined): unknown {
  if (version !== undefined && !['0.1.0', '0.2.0'].includes(version)) return undefined;
  return { Auth0RedirectRuleUtilities, Auth0UserUpdateUtilities, noRedirectProtocols: [...NO_REDIRECT] };
}

class Auth0RedirectRuleUtilities {
  readonly user: RuleUser;
  readonly context: RuleContext;
  readonly noRedirectProtocols = [...NO_REDIRECT];
  readonly tokenSecret: unknown;
  readonly tokenExpiresIn: string | number;

  constructor(user?: RuleUser, context?: RuleContext, settings: Settings = {}) {
    this.user = user ?? {};
    this.context = context ?? {};
    this.tokenSecret = settings.SESSION_TOKEN_SECRET;
    this.tokenExpiresIn = settings.SESSION_TOKEN_EXPIRES_IN ?? '3d';
  }

  get redirectUrl(): string | undefined {
    return this.context.redirect?.url;
  }

  get queryParams(): Record<string, string> {
    return this.context.request?.query ?? {};
  }

  get protocolCanRedirect(): boolean {
    return !this.noRedirectProtocols.includes(String(this.context.protocol));
  }

  get isRedirectCallback(): boolean {
    return this.context.protocol === 'redirect-callback';
  }

  get canRedirect(): boolean {
    const isTaken = Boolean(this.redirectUrl || this.context.multifactor);
    return !isTaken && this.queryParams.prompt !== 'none' && this.protocolCanRedirect;
  }

  createSessionToken(claims: object = {}): string {
    const { ip } = this.context.request ?? {};
    const token = { ip, iss: this.#issuer(), sub: this.user.user_id, ...claims };
    return jsonWebToken().sign(token, this.tokenSecret, { algorithm: 'HS256', expiresIn: this.tokenExpiresIn });
  }

  validateSessionToken(options: object = {}): object {
    const claims = jsonWebToken().verify(this.queryParams.session_token, this.tokenSecret, {
      algorithms: ['HS256'],
      ...options,
      subject: this.user.user_id,
      issuer: this.#issuer(),
    });
    if (!claims.exp) throw new Error('The session token never ends.');
    return claims;
  }

  doRedirect(url: string | undefined, options: RedirectOptions | string | false = {}): void {
    if (!this.canRedirect || !url) throw new Error('Cannot redirect');
    const token = this.#tokenFor(options);
    const mark = url.includes('?') ? '&' : '?';
    this.context.redirect = { url: token === undefined ? url : `${url}${mark}session_token=${token}` };
  }

  /** Version 0.1.0 takes the token itself, or false for none. */
  #tokenFor(options: RedirectOptions | string | false): string | undefined {
    if (options === false) return undefined;
    const { sessionToken, generateSessionToken = true } =
      typeof options === 'string' ? { sessionToken: options } : options;
    if (typeof sessionToken === 'string' && sessionToken !== '') return sessionToken;
    return generateSessionToken === true ? this.createSessionToken() : undefined;
  }

  #issuer(): string {
    return `https://${this.context.request?.hostname}/`;
  }
}

interface Management {
  updateUser(user: object, changes: object): Promise<unknown>;
  updateUserMetadata(user: object, metadata: object): Promise<unknown>;
  updateAppMetadata(user: object, metadata: object): Promise<unknown>;
}

/** Changes of metadata are seen by later rules at once, and stored when one of the update functions is called. */
class Auth0UserUpdateUtilities {
  readonly user: RuleUser;
  readonly userId: string | undefined;
  readonly updatedUserData: Record<string, unknown> = {};
  readonly namespace: string | undefined;
  readonly apiClient: Management;

  constructor(user: RuleUser, auth0: { accessToken: string; domain: string }, namespace?: unknown) {
    const { ManagementClient } = requireStored('auth0') as { ManagementClient: new (options: object) => Management };
    this.apiClient = new ManagementClient({ token: auth0.accessToken, domain: auth0.domain });
    this.user = user;
    this.userId = user.user_id;
    this.namespace = typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
    user.user_metadata ??= {};
    user.app_metadata ??= {};
  }

  setUser(key: string, value: unknown): void {
    this.user[key] = value;
    this.updatedUserData[key] = value;
  }

  setUserMeta(key: string, value: unknown): void {
    this.#part('user_metadata')[key] = value;
  }

  setAppMeta(key: string, value: unknown): void {
    this.#part('app_metadata')[key] = value;
  }

  getUserMeta(key: string): unknown {
    return this.#part('user_metadata')[key];
  }

  getAppMeta(key: string): unknown {
    return this.#part('app_metadata')[key];
  }

  async updateUser(): Promise<void> {
    await this.apiClient.updateUser({ id: this.userId }, this.updatedUserData);
  }

  async updateUserMetadata(): Promise<void> {
    await this.apiClient.updateUserMetadata({ id: this.userId }, this.user.user_metadata ?? {});
  }

  async updateAppMetadata(): Promise<void> {
    await this.apiClient.updateAppMetadata({ id: this.userId }, this.user.app_metadata ?? {});
  }

  /** Names of the published examples. */
  updateUserMeta(): Promise<void> {
    return this.updateUserMetadata();
  }

  updateAppMeta(): Promise<void> {
    return this.updateAppMetadata();
  }

  #part(kind: 'user_metadata' | 'app_metadata'): Metadata {
    const all = this.user[kind] ?? {};
    this.user[kind] = all;
    if (this.namespace === undefined) return all;
    const part = (all[this.namespace] ?? {}) as Metadata;
    all[this.namespace] = part;
    return part;
  }
}

function jsonWebToken(): JsonWebToken {
  return requireStored('jsonwebtoken') as JsonWebToken;
}
