import type { FirstRun } from '../../src/tenants/first-run.ts';

/** A token of the Management API, with all scopes, by client credentials. */
export async function tokenFor(origin: string, { management }: Pick<FirstRun, 'management'>): Promise<string> {
  const { client_id, client_secret, audience } = management;
  const response = await post(`${origin}/oauth/token`, {
    grant_type: 'client_credentials',
    client_id,
    client_secret,
    audience,
  });
  const { access_token } = await response.json();
  if (response.status !== 200) throw new Error(`No token: ${response.status}`);
  return access_token;
}

export function post(url: string, form: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(form) });
}

/** A login of first-run.json's user with the password grant. */
export function logIn(origin: string, { password_client, user, connection }: FirstRun): Promise<Response> {
  return post(`${origin}/oauth/token`, {
    grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
    realm: connection,
    username: user.email,
    password: user.password,
    scope: 'openid offline_access',
    audience: 'https://api.example.com/',
    ...password_client,
  });
}

/** The Management API with one token. */
export function managementAt(origin: string, token: string) {
  return async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${origin}/api/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
}
