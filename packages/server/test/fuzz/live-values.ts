import type { Response } from 'light-my-request';
import { createTestClient, redeem } from '../protocol.ts';
import { CALLBACK } from '../visitor.ts';
import type { WorldRequest } from '../world.ts';
import type { FuzzWorld } from './fuzz-world.ts';
import { LIVE, type Live } from './proper-values.ts';
import type { DraftRequest, Pair } from './protocol-requests.ts';

type Known = Map<Live, string>;

export type LiveValues = Awaited<ReturnType<typeof createLiveValues>>;

/** What proper requests of a fuzz run bring: clients that may do everything, a browser with a session, fresh codes. */
export async function createLiveValues({ world, home }: FuzzWorld) {
  const api = world.api();
  const client = await createTestClient(world, {
    app_type: 'regular_web',
    callbacks: [CALLBACK],
    allowed_logout_urls: ['http://localhost:5555/'],
    web_origins: ['http://localhost:5555'],
    cross_origin_authentication: true,
    oidc_conformant: true,
    grant_types: [
      'authorization_code',
      'implicit',
      'refresh_token',
      'client_credentials',
      'password',
      'http://auth0.com/oauth/grant-type/password-realm',
      'urn:ietf:params:oauth:grant-type:device_code',
    ],
  });
  const grant_types = ['urn:ietf:params:oauth:grant-type:device_code', 'authorization_code', 'refresh_token'];
  const { client_id: native } = await createTestClient(world, {
    app_type: 'native',
    callbacks: [CALLBACK],
    grant_types,
  });
  const settings = { pushed_authorization_requests_supported: true, flags: { allow_legacy_tokeninfo_endpoint: true } };
  await api.patch('/tenants/settings', settings);
  const visitor = world.visitor();
  const tokens = (await redeem(world, await visitor.logIn())).json();
  const form = { ...client, response_type: 'code', redirect_uri: CALLBACK };
  const { client_id } = client;
  const asked = { client_id, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid offline_access' };
  const silent = new URLSearchParams({ ...asked, prompt: 'none', audience: 'https://api.example.com/' });
  const login = new URLSearchParams({ ...asked, prompt: 'login' });

  /** Made when a request asks for one: what a run uses up is there again for the next. */
  const fresh: Readonly<Record<Live, (known: Known) => Promise<string> | string>> = {
    client: () => client.client_id,
    secret: () => client.client_secret,
    native: () => native,
    spa: () => world.spa_client.client_id,
    username: () => world.user.email,
    password: () => world.user.password,
    access: () => String(tokens.access_token),
    idToken: () => String(tokens.id_token),
    code: async () => parameterOf(await visitor.get(`/authorize?${silent}`), 'code'),
    async refresh(known) {
      const asked = { grant_type: 'authorization_code', ...client, redirect_uri: CALLBACK };
      return String((await world.token({ ...asked, code: await live('code', known) })).json().refresh_token);
    },
    device: async () => String((await device()).device_code),
    userCode: async () => String((await device()).user_code),
    pushed: async () => String((await world.request({ path: '/oauth/par', form })).json().request_uri),
    state: async () => parameterOf(await visitor.get(`/authorize?${login}`), 'state'),
    async csrf(known) {
      const page = await visitor.get(`/u/login?state=${await live('state', known)}`);
      return /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? 'none';
    },
  };

  async function device() {
    return (await world.request({ path: '/oauth/device/code', form: { client_id: native } })).json();
  }

  /** The same in one request, wherever it is named there: a form's token belongs to its `state`. */
  async function live(name: Live, known: Known): Promise<string> {
    const value = known.get(name) ?? (await fresh[name](known));
    known.set(name, value);
    return value;
  }

  async function filled(text: string, known: Known): Promise<string> {
    let result = text;
    for (const name of LIVE)
      if (text.includes(`{${name}}`)) result = result.replaceAll(`{${name}}`, await live(name, known));
    return result;
  }

  /** The request as it goes over the wire. */
  async function requestOf(draft: DraftRequest): Promise<WorldRequest> {
    const known: Known = new Map();
    const pairs: Pair[] = [];
    for (const pair of draft.pairs) pairs.push({ ...pair, value: await filled(pair.value, known) });
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(draft.headers)) headers[name] = await filled(value, known);
    if (draft.isLoggedIn) headers.cookie ??= [...visitor.cookies].map((cookie) => cookie.join('=')).join('; ');
    const asked = { method: draft.method, path: draft.path, headers } as const;
    const text = pairs
      .map(({ name, value, isRaw }) => (isRaw ? `${name}=${value}` : `${encode(name)}=${encode(value)}`))
      .join('&');
    if (draft.as === 'query') return { ...asked, path: `${draft.path}?${text}` };
    if (draft.as === 'json values') return { ...asked, json: draft.json };
    if (draft.as === 'json')
      return { ...asked, json: Object.fromEntries(pairs.map(({ name, value }) => [name, value])) };
    const type = 'application/x-www-form-urlencoded';
    const form = { ...asked, headers: { 'content-type': type, ...headers } };
    if (draft.as === 'form') return { ...form, body: text };
    return { ...form, body: Buffer.from(`${text}&x=${JSON.stringify(draft.json)}\xff`, 'latin1') };
  }

  return { requestOf, client, home };
}

/** Half of a surrogate pair has no UTF-8; its three bytes are sent as some programs would. */
function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}

function parameterOf({ headers }: Response, name: string): string {
  return new URL(String(headers.location), 'http://localhost').searchParams.get(name) ?? 'none';
}
