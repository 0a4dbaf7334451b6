import { readFileSync } from 'node:fs';
import type { Response } from 'light-my-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operationNamed } from '../../src/management/catalogue.ts';
import { startWorld, type World } from '../world.ts';
import { examplesFor } from './examples.ts';
import { type Home, inhabit } from './inhabited-tenant.ts';

type Types = Readonly<Record<string, string>>;

/** What Auth0 was seen to answer: statuses, and each field with the types that it had. */
interface Observed {
  readonly status: readonly number[];
  readonly answer?: Types;
  readonly item?: Types;
  readonly shapes: readonly string[];
}

const observed: Readonly<Record<string, Observed>> = JSON.parse(
  readFileSync(new URL('./observed.generated.json', import.meta.url), 'utf8'),
);

let world: World;
let home: Home;
const answers = new Map<string, Response>();
beforeAll(async () => {
  world = await startWorld();
  home = await inhabit(world, world.main);
  for (const [name, { path, body }] of Object.entries(examplesFor(home))) {
    const { method } = operationNamed(name);
    const verb = method.toLowerCase() as Lowercase<typeof method>;
    answers.set(name, await home.manage[verb](path, body));
  }
});
afterAll(() => world.stop());

const names = Object.keys(observed);

describe('the answer to', () => {
  it.each(names)('%s has the status, the shape and the fields that Auth0 was seen to give', (name) => {
    const seen = observed[name];
    const response = answers.get(name);
    if (!seen || !response) throw new Error(`${name} was not asked.`);
    expect(seen.status, response.body).toContain(response.statusCode);
    if (seen.shapes.includes('empty') && response.body === '') return;
    const body: unknown = response.json();
    expect(Array.isArray(body)).toBe(seen.shapes.includes('array') || isPlainList(name));
    const example = Array.isArray(body) ? (body[0] ?? {}) : body;
    // The recorded users had no events; an event is one wherever it is listed.
    const items = seen.item ?? (name.endsWith('/logs') ? observed['GET /logs']?.item : undefined);
    expectTypes(example, (Array.isArray(body) ? items : seen.answer) ?? {});
    // Lists of actions are never bare.
    const { items: member = '' } = operationNamed(name);
    const [listed] = Array.isArray(body) ? [] : (Object(body)[member] ?? []);
    if (seen.item && listed) expectTypes(listed, seen.item);
    const always = ALWAYS.find(([path]) => operationNamed(name).path.match(path))?.[1] ?? [];
    expect(Object.keys(Object(example))).toEqual(expect.arrayContaining(isDelete(name) ? [] : [...always]));
  });

  it.each(names.filter((name) => observed[name]?.shapes.some((shape) => shape.includes('start'))))(
    '%s has its totals beside the items where they are asked for',
    async (name) => {
      const { path } = (await filled())[name] ?? { path: '' };
      const { items = '' } = operationNamed(name);
      const totals = (await home.manage.get(`${path}?include_totals=true&per_page=1`)).json();
      const members = ['start', 'limit', 'total', items, ...(name === 'GET /users' ? ['length'] : [])];
      expect(Object.keys(totals).sort()).toEqual(members.sort());
      expect(totals).toMatchObject({ start: 0, limit: 1, total: expect.any(Number), [items]: expect.any(Array) });
    },
  );
});

function expectTypes(example: unknown, types: Types): void {
  for (const [field, value] of Object.entries(Object(example))) {
    if (OURS[field]?.test(typeOf(value))) continue;
    expect([field, types[field]?.split('|')]).toEqual([field, expect.arrayContaining([typeOf(value)])]);
  }
}

/** Fields that were not recorded, or not with this type; documented ones all. */
const OURS: Readonly<Record<string, RegExp>> = {
  tenant: /string/,
  global: /boolean/,
  callback_url_template: /boolean/,
  app_type: /string/,
  cross_origin_authentication: /boolean/,
  owners: /\[\]/,
  scopes: /\[\]/,
  description: /null/,
  context_configuration: /\[\]/,
  head_tags: /\[\]/,
  filters: /null/,
  current_since: /string/,
  current_until: /string/,
  client_ip: /string/,
  sandbox_versions_available: /string\[\]/,
  // Left out by Auth0 where they are 0 or empty.
  page: /number/,
  total: /number/,
  built_at: /string/,
  action_id: /string/,
  latest_version_number: /number/,
  supported_triggers: /object\[\]/,
  modules: /object\[\]/,
  // The recorded ones of modules were empty.
  dependencies: /object\[\]/,
  secrets: /object\[\]/,
};

/** Fields that clients of the API count on, whatever the object. */
const ALWAYS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^\/clients\/.*credentials/, ['id', 'credential_type', 'kid', 'alg', 'created_at', 'updated_at']],
  [/^\/clients\/.*connections/, ['connections']],
  [
    /^\/clients/,
    [
      ...['name', 'client_id', 'client_secret', 'is_first_party', 'oidc_conformant', 'grant_types', 'signing_keys'],
      ...['jwt_configuration', 'refresh_token', 'sso_disabled', 'custom_login_page_on', 'cross_origin_authentication'],
      'is_token_endpoint_ip_header_trusted',
    ],
  ],
  [
    /^\/resource-servers/,
    [
      ...['id', 'name', 'identifier', 'scopes', 'signing_alg', 'token_lifetime', 'token_lifetime_for_web'],
      ...['allow_offline_access', 'skip_consent_for_verifiable_first_party_clients', 'enforce_policies'],
      ...['token_dialect', 'subject_type_authorization'],
    ],
  ],
  [/^\/client-grants\/.*organizations/, []],
  [/^\/client-grants/, ['id', 'client_id', 'audience', 'scope', 'subject_type']],
  [/^\/connections\/.*clients/, ['clients']],
  [
    /^\/connections/,
    ['id', 'name', 'strategy', 'options', 'realms', 'enabled_clients', 'is_domain_connection', 'authentication'],
  ],
  [/permissions$|^\/roles\/.*users$|^\/users\/.*(roles|logs)$/, []],
  [
    /^\/users/,
    [
      ...['user_id', 'email', 'email_verified', 'name', 'nickname', 'picture', 'identities', 'created_at'],
      ...['updated_at', 'blocked'],
    ],
  ],
  [/^\/roles/, ['id', 'name', 'description']],
  [/^\/keys/, ['kid', 'cert', 'pkcs7', 'current', 'next', 'previous', 'fingerprint', 'thumbprint', 'revoked']],
  [/^\/logs/, ['_id', 'log_id', 'date', 'type', 'client_id', 'ip', 'user_agent', 'details', 'isMobile']],
  [
    /^\/tenants/,
    [
      ...['flags', 'friendly_name', 'enabled_locales', 'session_lifetime', 'idle_session_lifetime', 'support_email'],
      ...['allowed_logout_urls', 'default_redirection_uri', 'sandbox_version', 'session_cookie'],
    ],
  ],
];

/** Recorded with totals only; without them the same list is an array. */
function isPlainList(name: string): boolean {
  const { method, items, query } = operationNamed(name);
  return method === 'GET' && items !== undefined && 'include_totals' in query;
}

const isDelete = (name: string) => name.startsWith('DELETE');

/** The things of the tenant have ended by now; the lists of a user and a role need new ones. */
let refilled: Promise<ReturnType<typeof examplesFor>> | undefined;
function filled(): Promise<ReturnType<typeof examplesFor>> {
  refilled ??= inhabit(world, world.main).then(examplesFor);
  return refilled;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (!Array.isArray(value)) return typeof value;
  return value.length === 0 ? '[]' : `${typeof value[0]}[]`;
}
