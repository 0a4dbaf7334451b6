import { createHash, randomBytes } from 'node:crypto';
import type { Response } from 'light-my-request';
import type { WorldRequest, WorldTenant } from './world.ts';

/** One browser of a test, at one tenant. */
export interface Visitor {
  readonly cookies: Map<string, string>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  post(
    path: string,
    form: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
  /** Follows redirects within the tenant; the last answer is a page, or a redirect to somewhere else. */
  follow(response: Response): Promise<Response>;
  /** /authorize with the SPA client, S256 and defaults; ends at the login page or at the callback. */
  authorize(parameters?: Readonly<Record<string, string>>): Promise<Authorization>;
  /** Fills in the form of a login or sign-up page, hidden fields included. */
  submit(page: Response, fields: Readonly<Record<string, string>>): Promise<Response>;
  /** From /authorize over the login page to a code. */
  logIn(options?: {
    parameters?: Readonly<Record<string, string>>;
    username?: string;
    password?: string;
  }): Promise<Authorization & { readonly code: string }>;
}

export interface Authorization {
  /** The last answer. */
  readonly response: Response;
  readonly verifier: string;
  /** Parameters at the redirect URI, in its query or its fragment, where the answer is a redirect to it. */
  readonly answer: URLSearchParams | undefined;
}

export const CALLBACK = 'http://localhost:5555/callback';
const MOST_REDIRECTS = 10;

export function createVisitor(request: (asked: WorldRequest) => Promise<Response>, tenant: WorldTenant): Visitor {
  const cookies = new Map<string, string>();

  async function send(asked: WorldRequest): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await request({ ...asked, tenant, headers: { ...(cookie && { cookie }), ...asked.headers } });
    for (const { name, value, expires } of response.cookies) {
      if (value === '' || (expires && expires.getTime() === 0)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }

  async function follow(first: Response): Promise<Response> {
    let response = first;
    for (let hop = 0; hop < MOST_REDIRECTS; hop++) {
      const { location } = response.headers;
      if (typeof location !== 'string') return response;
      const url = new URL(location, tenant.origin);
      if (url.origin !== tenant.origin) return response;
      response = await send({ path: url.pathname + url.search });
    }
    throw new Error('Too many redirects.');
  }

  async function authorize(parameters: Readonly<Record<string, string>> = {}): Promise<Authorization> {
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: tenant.spa_client.client_id,
      redirect_uri: CALLBACK,
      scope: 'openid profile email offline_access',
      state: 'some-state',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    });
    const response = await follow(await send({ path: `/authorize?${query}` }));
    return { response, verifier, answer: answerOf(response) };
  }

  function submit(page: Response, fields: Readonly<Record<string, string>>): Promise<Response> {
    const action = decodeEntities(/<form[^>]* action="([^"]+)"/.exec(page.body)?.[1] ?? '');
    const hidden = [...page.body.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(
      ([, name = '', value = '']) => [name, decodeEntities(value)],
    );
    return send({
      path: action,
      form: { ...Object.fromEntries(hidden), ...fields },
      headers: { origin: tenant.origin },
    });
  }

  return {
    cookies,
    get: (path, headers = {}) => send({ path, headers }),
    post: (path, form, headers = {}) => send({ path, form, headers }),
    follow,
    authorize,
    submit,
    async logIn({ parameters = {}, username = tenant.user.email, password = tenant.user.password } = {}) {
      const begun = await authorize(parameters);
      const response = begun.answer
        ? begun.response
        : await follow(await submit(begun.response, { username, password }));
      const answer = answerOf(response);
      const code = answer?.get('code');
      if (!code)
        throw new Error(`The login ended with ${response.statusCode}: ${answer ?? response.body.slice(0, 500)}`);
      return { response, verifier: begun.verifier, answer, code };
    },
  };
}

function answerOf({ headers }: Response): URLSearchParams | undefined {
  const { location } = headers;
  if (typeof location !== 'string' || !/^[a-z]+:/.test(location)) return undefined;
  const { hash, searchParams } = new URL(location);
  return hash === '' ? searchParams : new URLSearchParams(hash.slice(1));
}

function decodeEntities(text: string): string {
  const entities = { '&quot;': '"', '&#39;': "'", '&#x2F;': '/', '&lt;': '<', '&gt;': '>', '&amp;': '&' };
  return Object.entries(entities).reduce((decoded, [entity, character]) => decoded.replaceAll(entity, character), text);
}
