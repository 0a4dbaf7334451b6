import { admit } from '../containers/api-tunnel.ts';
import type { Tunnel, TunnelRequest, TunnelResponse } from '../containers/job.ts';
import { isObject, type Json, objectOf, textOf } from '../kit/json-values.ts';

/** What a rule asked of the Management API, and what it was told. */
export interface TriedCall {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
}

const HOST = 'dev.example.com';
/** A token's form, and nobody's token. */
const TOKEN = 'stand-in-for-a-token';

/** Stands in for the Management API where there is no server: it knows one user, and keeps changes for this run. */
export function standInApi(user: Json) {
  const calls: TriedCall[] = [];
  let known = user;

  async function answer(request: TunnelRequest): Promise<TunnelResponse> {
    // What a server refuses is refused here, in its words.
    const asked = admit(request);
    if ('status' in asked) {
      calls.push({ method: request.method, path: request.url, status: asked.status });
      return asked;
    }
    const { pathname, search } = new URL(asked.url, `https://${HOST}`);
    const body = request.body.length > 0 ? parse(request.body.toString()) : undefined;
    const [status, told] = respond(request.method, pathname, body);
    calls.push({ method: request.method, path: pathname + search, ...(body !== undefined && { body }), status });
    return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(told)) };
  }

  function respond(method: string, path: string, body: unknown): readonly [number, unknown] {
    if (path === '/oauth/token') return [200, { access_token: TOKEN, token_type: 'Bearer', expires_in: 86_400 }];
    if (path === '/api/v2/users' && method === 'GET') return [200, [known]];
    const id = /^\/api\/v2\/users\/([^/]+)$/.exec(path)?.[1];
    if (id === undefined || decodeURIComponent(id) !== textOf(known.user_id)) return [404, NOT_FOUND];
    if (method === 'PATCH') known = changed(known, objectOf(body));
    return method === 'GET' || method === 'PATCH' ? [200, known] : [404, NOT_FOUND];
  }

  const tunnel: Tunnel = { hosts: [`${HOST}:443`], answer };
  return { auth0: { domain: HOST, accessToken: TOKEN }, tunnel, calls };
}

const NOT_FOUND = {
  statusCode: 404,
  error: 'Not Found',
  message: 'Without a server there is only the user who logs in, and GET and PATCH /users/{id}.',
  errorCode: 'inexistent_user',
};

/** Metadata are merged at their first level; null removes. */
function changed(user: Json, changes: Json): Json {
  const merged: Record<string, unknown> = { ...user };
  for (const [name, value] of Object.entries(changes)) {
    const isMetadata = (name === 'user_metadata' || name === 'app_metadata') && isObject(value);
    merged[name] = isMetadata ? withoutNulls({ ...objectOf(user[name]), ...value }) : value;
  }
  return merged;
}

function withoutNulls(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
