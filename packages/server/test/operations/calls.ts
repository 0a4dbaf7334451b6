import { request } from 'node:http';
import type { FirstRun } from '../../src/tenants/first-run.ts';

export interface Answer {
  readonly status: number;
  /** The JSON of the body, or its text. */
  readonly body: Record<string, unknown>;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** Not every resolver knows the names below localhost, so the connection goes to the address. */
export function call(origin: string, path: string, { method, headers, form, json }: Asked = {}): Promise<Answer> {
  const { host, port } = new URL(origin);
  const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { host, ...(body !== undefined && { 'content-type': type }), ...headers },
      },
      (incoming) => {
        incoming.toArray().then((chunks) => {
          const text = Buffer.concat(chunks).toString();
          const isJson = incoming.headers['content-type']?.startsWith('application/json');
          resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : { text } });
        }, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A token of the Management API, with all scopes, by client credentials. */
export async function tokenFor(origin: string, { management }: Pick<FirstRun, 'management'>): Promise<string> {
  const form = { grant_type: 'client_credentials', ...management };
  const { status, body } = await call(origin, '/oauth/token', { form });
  if (status !== 200) throw new Error(`No token: ${status} ${JSON.stringify(body)}`);
  return String(body.access_token);
}

/** A login of first-run.json's user with the password grant. */
export function logIn(origin: string, { password_client, user, connection }: FirstRun): Promise<Answer> {
  return call(origin, '/oauth/token', {
    form: {
      grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
      realm: connection,
      username: user.email,
      password: user.password,
      scope: 'openid offline_access',
      audience: 'https://api.example.com/',
      ...password_client,
    },
  });
}

/** The Management API with one token. */
export function managementAt(origin: string, token: string) {
  return (method: string, path: string, json?: unknown): Promise<Answer> =>
    call(origin, `/api/v2${path}`, { method, headers: { authorization: `Bearer ${token}` }, json });
}
