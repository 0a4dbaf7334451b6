// Turns a folder with the Management API's catalogue (management-api.json, management-schemas.json, management-observed.json)
// into what the server reads at run time: `npm run generate:schemas -- <folder>`. Same input, same output, byte for byte.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parameterOf } from './query-parameter.ts';
import { type Schema, toSchema, unite } from './type-notation.ts';
import { isSchema, widenWith } from './widen-schema.ts';

type Fields = Readonly<Record<string, string>>;

interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly resource: string;
  readonly operation: string;
  readonly scopes?: readonly string[];
  readonly ok: readonly number[];
  readonly path_params?: Fields;
  readonly query?: Fields;
  readonly body?: Fields | string;
  readonly body_type?: string;
  readonly body_schema?: string;
  readonly pagination?: { readonly items?: string };
}

interface NamedType {
  readonly fields?: Fields;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly string[];
  readonly alias?: string;
  readonly closed?: boolean;
}

interface Observation {
  readonly status: Readonly<Record<string, number>>;
  readonly req?: Fields;
  readonly query?: readonly string[];
}

const OUTPUT = fileURLToPath(new URL('../src/management/catalogue/', import.meta.url));

/** What recordings of real tenants show, where it differs from the documents and is not in the catalogue's own columns. */
const SEEN_STATUS: Readonly<Record<string, number>> = {
  'PATCH /resource-servers/{id}': 200,
  'PATCH /hooks/{id}': 200,
  'PATCH /clients/{client_id}/credentials/{credential_id}': 200,
  'POST /actions/actions/{id}/deploy': 200,
  'POST /actions/actions/{action_id}/versions/{id}/deploy': 200,
  'DELETE /roles/{id}/permissions': 204,
  'POST /organizations/{id}/invitations': 201,
  'POST /forms': 201,
  'POST /flows': 201,
  'POST /flows/vault/connections': 201,
  'DELETE /connections/{id}': 202,
  'POST /custom-domains/{id}/verify': 200,
  'DELETE /network-acls/{id}': 200,
};

/** A few endpoints are documented without their scopes; none may be open to every token. */
const UNDOCUMENTED_SCOPES: Readonly<Record<string, string>> = {
  experimentation: 'experimentation',
  guardian: 'guardian_factors',
  organizations: 'organizations',
  'resource-servers': 'resource_servers',
};
const VERBS: Readonly<Record<string, string>> = {
  GET: 'read',
  POST: 'create',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
};

/** Recordings name a query parameter, not its type. */
const RECORDED_QUERY: Readonly<Record<string, string>> = {
  page: 'integer',
  per_page: 'integer',
  take: 'integer',
  include_totals: 'boolean',
  include_fields: 'boolean',
};

/** Limits that Auth0's reference gives and the catalogue leaves out. */
const REFERENCE_LIMITS: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  'GET /resource-servers/search': { q: { maxLength: 1_000 }, fields: { maxLength: 1_000 } },
};

/** What tools of Auth0 send although no document has it. */
const ALSO_SENT: Readonly<Record<string, Fields>> = {
  // An export of rules carries their stage, and the deploy tool sends it along when it makes them.
  'POST /rules': { stage: 'string' },
};

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Say where the catalogue is: npm run generate:schemas -- <folder>');

const read = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));
const endpoints: readonly Endpoint[] = (await read('management-api.json')).endpoints;
const types: Readonly<Record<string, NamedType>> = (await read('management-schemas.json')).schemas;
const observed: Readonly<Record<string, Observation>> = (await read('management-observed.json')).observed;

const definitions = new Map(Object.entries(types).map(([name, type]) => [name, fromNamedType(type)]));
const operations: Record<string, unknown> = {};
for (const endpoint of [...endpoints].sort((a, b) => compare(nameOf(a), nameOf(b)))) {
  operations[nameOf(endpoint)] = toOperation(endpoint);
}
await write('operations.generated.json', operations);
await write('definitions.generated.json', reachableFrom(operations));

function toOperation(endpoint: Endpoint): object {
  const name = nameOf(endpoint);
  const seen = observed[name];
  const body = bodyOf(endpoint, seen);
  return {
    resource: endpoint.resource,
    action: endpoint.operation,
    scopes: endpoint.scopes ?? [undocumentedScope(endpoint)],
    status: statusOf(endpoint, seen),
    params: Object.fromEntries(Object.entries(endpoint.path_params ?? {}).map(([key, type]) => [key, toSchema(type)])),
    query: queryOf(endpoint, seen),
    ...(endpoint.pagination?.items !== undefined && { items: endpoint.pagination.items }),
    ...(body !== undefined && { body }),
    ...(endpoint.body_type !== undefined &&
      endpoint.body_type !== 'application/json' && { bodyType: endpoint.body_type }),
  };
}

function undocumentedScope(endpoint: Endpoint): string {
  const [, root = ''] = endpoint.path.split('/');
  const verb = VERBS[endpoint.method];
  const noun = UNDOCUMENTED_SCOPES[root];
  if (verb === undefined || noun === undefined) throw new Error(`Which scope does ${nameOf(endpoint)} need?`);
  return `${verb}:${noun}`;
}

function statusOf(endpoint: Endpoint, seen: Observation | undefined): number {
  const decided = SEEN_STATUS[nameOf(endpoint)];
  if (decided !== undefined) return decided;
  const successes = Object.entries(seen?.status ?? {}).filter(([status]) => status.startsWith('2'));
  const [most] = successes.sort(([, a], [, b]) => b - a);
  return most === undefined ? (endpoint.ok[0] ?? 200) : Number(most[0]);
}

function queryOf(endpoint: Endpoint, seen: Observation | undefined): object {
  const documented = Object.entries(endpoint.query ?? {}).map(([key, type]) => {
    const isRequired = !key.endsWith('?');
    const name = isRequired ? key : key.slice(0, -1);
    const parameter = {
      ...parameterOf(toSchema(type), definitions),
      // Endpoints without a document of their own have the SDK's types, to which a count is a number.
      ...(RECORDED_QUERY[name] === 'integer' && { type: 'integer' }),
      ...REFERENCE_LIMITS[nameOf(endpoint)]?.[name],
      ...(isRequired && { required: true }),
    };
    return [name, parameter] as const;
  });
  const recorded = (seen?.query ?? []).map((key) => [key, { type: RECORDED_QUERY[key] ?? 'string' }] as const);
  return Object.fromEntries([...recorded, ...documented].sort(([a], [b]) => compare(a, b)));
}

function bodyOf(endpoint: Endpoint, seen: Observation | undefined): Schema | undefined {
  // The SDK types a query as if it were a body: DELETE /connections/{id}/users and DELETE /grants have none.
  const typesQuery = endpoint.method === 'DELETE' ? /(Query|Request)Parameters$/ : /QueryParameters$/;
  if (endpoint.body === undefined || typesQuery.test(endpoint.body_schema ?? '')) return undefined;
  if (typeof endpoint.body === 'string') return toSchema(endpoint.body);
  const name = endpoint.body_schema;
  const schema = name === undefined ? fromNamedType({ fields: endpoint.body }) : definitions.get(name);
  const widened =
    schema === undefined ? undefined : widenWith(schema, { ...seen?.req, ...ALSO_SENT[nameOf(endpoint)] }, definitions);
  if (name === undefined || widened === undefined) return widened;
  definitions.set(name, widened);
  return { $ref: name };
}

function fromNamedType(type: NamedType): Schema {
  if (type.enum !== undefined) return { enum: type.enum };
  if (type.oneOf !== undefined) return unite(type.oneOf.map(toSchema));
  if (type.alias !== undefined) return toSchema(type.alias);
  const { '[key]': others, ...fields } = type.fields ?? {};
  const entries = Object.entries(fields);
  const required = entries.filter(([key]) => !key.endsWith('?')).map(([key]) => key);
  const properties = entries.map(([key, value]) => [key.replace(/\?$/, ''), toSchema(value)] as const);
  return {
    type: 'object',
    ...(entries.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(required.length > 0 && { required }),
    ...(type.closed === true && others === undefined && { additionalProperties: false }),
    ...(others !== undefined && others !== 'any' && { additionalProperties: toSchema(others) }),
  };
}

/** Definitions that some request body needs, and no others: answers are not validated. */
function reachableFrom(root: unknown): Record<string, Schema> {
  const found = new Map<string, Schema>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isSchema(value)) {
      const name = value.$ref;
      const target = typeof name === 'string' ? definitions.get(name) : undefined;
      if (typeof name === 'string' && !found.has(name)) {
        if (target === undefined) throw new Error(`The catalogue names the type ${name}, but does not describe it.`);
        found.set(name, target);
        visit(target);
      }
      Object.values(value).forEach(visit);
    }
  };
  visit(root);
  return Object.fromEntries([...found].sort(([a], [b]) => compare(a, b)));
}

/** One entry a line: a change of the catalogue is a readable diff. */
async function write(name: string, table: Readonly<Record<string, unknown>>): Promise<void> {
  const lines = Object.entries(table).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  await writeFile(join(OUTPUT, name), `{\n${lines.join(',\n')}\n}\n`);
  console.log(`${name}: ${lines.length} entries`);
}

function nameOf(endpoint: Endpoint): string {
  return `${endpoint.method} ${endpoint.path}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
