export interface Management {
  readonly client_id: string;
  readonly client_secret: string;
  readonly audience: string;
}

export type Body = Readonly<Record<string, unknown>>;
export type ManagementApi = (method: string, path: string, body?: Body | readonly Body[]) => Promise<Body>;

/** The Management API as a machine: calls fail with the API's own words. A list comes as `{ items }`. */
export async function openManagementApi(origin: string, management: Management): Promise<ManagementApi> {
  const { access_token } = await request(
    `${origin}/oauth/token`,
    'POST',
    {},
    { grant_type: 'client_credentials', ...management },
  );
  const authorization = `Bearer ${access_token}`;
  return (method, path, body) => request(`${origin}/api/v2${path}`, method, { authorization }, body);
}

/** The first of a list that fits, whatever page it is on. */
export async function findListed(
  call: ManagementApi,
  path: string,
  fits: (item: Body) => boolean,
): Promise<Body | undefined> {
  const perPage = 100;
  for (let page = 0; ; page++) {
    const { items } = await call('GET', `${path}${path.includes('?') ? '&' : '?'}per_page=${perPage}&page=${page}`);
    const listed = items as readonly Body[];
    const found = listed.find(fits);
    if (found || listed.length < perPage) return found;
  }
}

async function request(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body?: Body | readonly Body[],
): Promise<Body> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  const value: unknown = text === '' ? {} : JSON.parse(text);
  return Array.isArray(value) ? { items: value } : { ...(value as Body) };
}
