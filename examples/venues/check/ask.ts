import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type ManagementApi, openManagementApi } from '../start/management-api.ts';
import type { Demo, DemoEnvironment } from '../start/start-everything.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface LoggedIn {
  readonly token: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** Sends a request and takes any answer: what is expected is said where it is checked. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** The user agent: what the page does, by the same requests. */
export function browserOf({ userApi, venueApi, user }: DemoEnvironment) {
  const post = (path: string, token: string) => ask(`${userApi}${path}`, { method: 'POST', headers: bearer(token) });
  return {
    sendLogin: (email = user.email, password = user.password) =>
      ask(`${userApi}/session/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password }),
      }),
    async login(): Promise<LoggedIn> {
      const answer = await this.sendLogin();
      assert.equal(answer.status, 200, `the login answered ${answer.status} ${answer.text}`);
      return loggedInOf(answer);
    },
    refresh: (token: string) => post('/session/refresh', token),
    logout: (token: string) => post('/session/logout', token),
    me: (token: string) => ask(`${userApi}/me`, { headers: bearer(token) }),
    venues: (token: string) => ask(`${venueApi}/venues`, { headers: bearer(token) }),
  };
}

export function loggedInOf({ body }: Answer): LoggedIn {
  return { token: String(body.access_token), expiresAt: Number(body.expires_at) };
}

/** The token endpoint, as the client of the environment; a parameter that is undefined is left out. */
export function askForToken(
  { issuer, client }: DemoEnvironment,
  form: Readonly<Record<string, string>>,
  { isBasic = false } = {},
): Promise<Answer> {
  const posted = isBasic ? {} : { client_id: client.id, client_secret: client.secret };
  const basic = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`;
  return ask(`${issuer}oauth/token`, {
    method: 'POST',
    ...(isBasic && { headers: { authorization: basic } }),
    body: new URLSearchParams({ ...form, ...posted }),
  });
}

/** An access token that no session belongs to: nobody has asked about it, and nothing is cached. */
export async function freshToken(environment: DemoEnvironment): Promise<string> {
  const { user, audience } = environment;
  const form = { grant_type: 'password', username: user.email, password: user.password, audience, scope: 'openid' };
  const answer = await askForToken(environment, form);
  assert.equal(answer.status, 200, `the password grant answered ${answer.status} ${answer.text}`);
  return String(answer.body.access_token);
}

export function managementOf({ newTenant }: DemoEnvironment): Promise<ManagementApi> {
  return openManagementApi(newTenant.origin, newTenant.management);
}

/** The claims of a JWT, unverified. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

/** Where an access token's entry lies in memcached: a hash, so that keys tell nothing. */
export function cacheKeyOf(token: string, { issuer, audience }: DemoEnvironment): string {
  const scope = JSON.stringify([issuer, audience]);
  return `gw1:${createHash('sha256').update(`${scope}\0${token}`).digest('base64url')}`;
}

/** Questions that the token service of an environment was asked so far. */
export function questionsTo(demo: Demo, { name }: DemoEnvironment): number {
  return demo.exchanges.filter(({ to, url }) => to === `token-service (${name})` && url === '/token/verify').length;
}

/** Times that a refresh token was redeemed so far, in all environments. */
export function rotationsIn(demo: Demo): number {
  return demo.exchanges.filter(
    ({ to, requestBody }) => to === 'Gatewright' && requestBody.includes('grant_type=refresh_token'),
  ).length;
}
