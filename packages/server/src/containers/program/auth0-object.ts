import type { Run } from './current-run.ts';

type Callback = (error: unknown, result?: unknown) => void;
type Send = (method: string, path: string, body?: unknown) => Promise<unknown>;

const objects = new WeakMap<Run, object>();

/**
 * The global `auth0`. In: `auth0: { domain, accessToken }` of the job, a token of this job alone. Its requests take
 * the tunnel, like any request of tenant code to the tenant's own domain.
 */
export function auth0Object(run: Run | undefined): object | undefined {
  const given = run?.input.auth0;
  if (!run || typeof given !== 'object' || given === null) return undefined;
  const known = objects.get(run) ?? create({ ...given });
  objects.set(run, known);
  return known;
}

function create({ domain, accessToken }: { domain?: unknown; accessToken?: unknown }): object {
  const baseUrl = `https://${domain}/api/v2`;
  return { domain, baseUrl, accessToken, users: usersOf(sender(baseUrl, accessToken)) };
}

/** Each gives a promise, and calls back where its last argument is a function. */
function usersOf(send: Send): object {
  const one = (user: unknown) => `/users/${encodeURIComponent(idOf(user))}`;
  return {
    get: answering((user) => send('GET', one(user))),
    getAll: answering((query) => send('GET', `/users${queryOf(query)}`)),
    update: answering((user, changes) => send('PATCH', one(user), changes)),
    updateUserMetadata: answering((user, metadata) => send('PATCH', one(user), { user_metadata: metadata })),
    updateAppMetadata: answering((user, metadata) => send('PATCH', one(user), { app_metadata: metadata })),
  };
}

function answering(
  work: (...given: unknown[]) => Promise<unknown>,
): (...given: unknown[]) => Promise<unknown> | undefined {
  return (...given) => {
    const callback = given.findLast((one): one is Callback => typeof one === 'function');
    const answer = work(...given.filter((one) => one !== callback));
    if (!callback) return answer;
    answer.then(
      (result) => callback(null, result),
      (cause) => callback(cause),
    );
  };
}

/** `'auth0|1'`, and `{ id: 'auth0|1' }` as the SDK has it. */
function idOf(user: unknown): string {
  const id = typeof user === 'object' && user !== null && 'id' in user ? user.id : user;
  if (typeof id === 'string' && id !== '') return id;
  throw new Error('A user_id is required.');
}

function queryOf(query: unknown): string {
  if (typeof query !== 'object' || query === null) return '';
  const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

function sender(baseUrl: string, accessToken: unknown): Send {
  return async (method, path, body) => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer: unknown = text === '' ? undefined : JSON.parse(text);
    if (!response.ok) throw failure(response.status, answer);
    return answer;
  };
}

function failure(statusCode: number, answer: unknown): Error {
  const { error, message, errorCode } = { ...Object(answer) } as Readonly<Record<string, unknown>>;
  const thrown = new Error(String(message ?? `The Management API answered ${statusCode}.`));
  thrown.name = String(error ?? 'APIError');
  return Object.assign(thrown, { statusCode, ...(errorCode !== undefined && { errorCode }) });
}
