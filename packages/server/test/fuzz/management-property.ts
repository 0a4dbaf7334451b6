import type { Response } from 'light-my-request';
import { expect } from 'vitest';
import type { Example } from '../management/examples.ts';
import type { WorldRequest } from '../world.ts';
import type { FuzzWorld } from './fuzz-world.ts';
import type { DraftCall } from './management-requests.ts';

/** A refused call changes nothing and says why in the API's words; an accepted one leaves a tenant whose logins work. */
export async function checkManagementCall(
  fuzz: FuzzWorld,
  examples: Readonly<Record<string, Example>>,
  bearer: string,
  draft: DraftCall,
): Promise<string> {
  const { response, changed } = await fuzz.send(requestOf(draft, examples, bearer));
  const { statusCode } = response;
  if (statusCode >= 400) {
    expect([draft.name, statusCode, changed]).toEqual([draft.name, statusCode, []]);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(response.json()).toEqual(
      expect.objectContaining({ statusCode, error: expect.any(String), message: expect.any(String) }),
    );
  } else if (draft.name.startsWith('GET')) expect([draft.name, changed]).toEqual([draft.name, []]);
  else if (SEEN_BY_LOGINS.test(draft.name)) await checkLogins(fuzz);
  return String(statusCode);
}

const SEEN_BY_LOGINS = /\/(?:tenants|clients|connections|branding|prompts|resource-servers|custom-domains)/;

/** Whatever was configured: the pages and the endpoints answer, and not by an error of ours (`send` looks). */
async function checkLogins({ send, home }: FuzzWorld): Promise<void> {
  const { spa_client, password_client, user, connection } = home.tenant;
  const query = {
    response_type: 'code',
    client_id: spa_client.client_id,
    redirect_uri: 'http://localhost:5555/callback',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    audience: home.identifier,
    state: 'x',
  };
  const begun = (await send({ path: `/authorize?${new URLSearchParams(query)}` })).response;
  if (begun.headers.location?.toString().startsWith('/u/'))
    await send({ path: String(begun.headers.location), headers: { cookie: cookieOf(begun) } });
  await send({ path: `/authorize?${new URLSearchParams({ ...query, client_id: home.client })}` });
  await send({ path: `/v2/logout?client_id=${home.client}&returnTo=x` });
  await send({
    path: '/dbconnections/signup',
    json: { client_id: home.client, connection, email: 'x', password: 'x' },
  });
  const login = { grant_type: 'password', username: user.email, password: 'wrong', audience: home.identifier };
  await send({ path: '/oauth/token', form: { ...login, ...password_client } });
}

function cookieOf({ cookies }: Response): string {
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

function requestOf(
  { name, body, query, id, as }: DraftCall,
  examples: Readonly<Record<string, Example>>,
  bearer: string,
): WorldRequest {
  const [method = '', template = ''] = name.split(' ');
  const [known = '', search = ''] = (examples[name]?.path ?? '').split('?');
  const path = id !== undefined && template.endsWith('}') ? known.replace(/[^/]+$/, encode(id)) : known;
  const pairs = query.map(([key, value]) => `${encode(key)}=${encode(value)}`);
  const asked = {
    method: method as 'GET',
    path: `/api/v2${path}?${[search, ...pairs].filter(Boolean).join('&')}`,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
  };
  const text = JSON.stringify(body);
  if (text === undefined) return { ...asked, headers: { authorization: asked.headers.authorization } };
  if (as === 'cut') return { ...asked, body: text.slice(0, -1) };
  if (as === 'bytes') return { ...asked, body: Buffer.from(`${text.slice(0, -2)}\xff\xfe${text.slice(-2)}`, 'latin1') };
  if (as === 'json') return { ...asked, body: text };
  const members = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const form = members.map(([key, value]) => `${encode(key)}=${encode(String(JSON.stringify(value) ?? ''))}`).join('&');
  const type = 'application/x-www-form-urlencoded';
  return { ...asked, headers: { ...asked.headers, 'content-type': type }, body: form };
}

function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}
