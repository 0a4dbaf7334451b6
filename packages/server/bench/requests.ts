import type { LoadRequest } from './programs/load.ts';
import type { Subject } from './workbench.ts';

/** Requests of the product's ordinary users, as the rows send them. */

export function tokenRequest(form: Readonly<Record<string, string>>): LoadRequest {
  return {
    method: 'POST',
    path: '/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    // The load program puts the token in.
    body: new URLSearchParams(form).toString().replace('%7Brefresh_token%7D', '{refresh_token}'),
  };
}

export function bearerRequest(path: string, token: string): LoadRequest {
  return { method: 'GET', path, headers: { authorization: `Bearer ${token}` } };
}

export function clientCredentialsForm({ firstRun }: Subject): Record<string, string> {
  return { grant_type: 'client_credentials', ...firstRun.password_client, audience: firstRun.api.identifier };
}

/** A password login; `more` names scope and audience. */
export function loginForm({ firstRun }: Subject, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { user, password_client } = firstRun;
  return { grant_type: 'password', ...password_client, username: user.email, password: user.password, ...more };
}

/** A management token with the one scope that reading users needs. */
export function managementForm({ firstRun: { management } }: Subject): Record<string, string> {
  return { grant_type: 'client_credentials', ...management, scope: 'read:users' };
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
}

export async function fetchTokens({ firstRun }: Subject, form: Readonly<Record<string, string>>): Promise<Tokens> {
  const response = await fetch(`${firstRun.http_origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(`A token was refused: ${await response.text()}`);
  return response.json() as Promise<Tokens>;
}

/** The same request on a number of connections. */
export function times<Value>(count: number, value: Value): Value[] {
  return Array.from({ length: count }, () => value);
}
