import fc from 'fast-check';
import { definitionNamed, type JsonSchema, operationNamed, type Parameter } from '../../src/management/catalogue.ts';
import type { Example } from '../management/examples.ts';
import { evilJson, evilText } from './hostile-values.ts';

export interface DraftCall {
  /** Of the catalogue. */
  readonly name: string;
  readonly body: unknown;
  readonly query: readonly (readonly [string, string])[];
  /** Takes the place of the last name in the path. */
  readonly id: string | undefined;
  readonly as: 'json' | 'form' | 'cut' | 'bytes';
}

/** Ends what other cases need, or costs a key pair each time. */
const NOT_ASKED = /^DELETE|rotate|revoke|\/verify$|\/test$/;

/** Calls of every operation that is built: its example or a body by its schema, with mutations. */
export function managementCall(examples: Readonly<Record<string, Example>>): fc.Arbitrary<DraftCall> {
  const names = Object.keys(examples).filter((name) => !NOT_ASKED.test(name));
  const writes = names.filter((name) => operationNamed(name).body !== undefined);
  const bodies = new Map(writes.map((name) => [name, bodyFor(name, examples[name]?.body)]));
  return fc
    .oneof({ weight: 4, arbitrary: fc.constantFrom(...writes) }, { weight: 1, arbitrary: fc.constantFrom(...names) })
    .chain((name) =>
      fc.record({
        name: fc.constant(name),
        body: bodies.get(name) ?? fc.constant(undefined),
        query: queryFor(operationNamed(name).query),
        id: fc.option(evilText, { nil: undefined, freq: 8 }).map((id) => id || undefined),
        as: fc.constantFrom('json', 'json', 'json', 'json', 'json', 'json', 'json', 'form', 'cut', 'bytes'),
      }),
    );
}

function bodyFor(name: string, example: unknown): fc.Arbitrary<unknown> {
  const schema = operationNamed(name).body ?? {};
  const bySchema = valuesOf(schema, 0);
  const both = fc.tuple(bySchema, fc.boolean()).map(([value, exampleWins]) => merged(value, example, exampleWins));
  const proper = fc.oneof(
    { weight: 2, arbitrary: fc.constant(example) },
    { weight: 2, arbitrary: bySchema },
    { weight: 3, arbitrary: both },
  );
  return fc.oneof(
    { weight: 4, arbitrary: proper },
    { weight: 5, arbitrary: fc.tuple(proper, fc.array(mutation, { minLength: 1, maxLength: 3 })).map(applied) },
    { weight: 1, arbitrary: evilJson },
  );
}

/** Values that a schema mostly allows; patterns and formats are guessed. */
function valuesOf(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (depth > 5) return fc.constant({});
  if (typeof schema.$ref === 'string') return valuesOf(definitionNamed(schema.$ref), depth + 1);
  const variants = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(variants)) return fc.oneof(...variants.map((variant: JsonSchema) => valuesOf(variant, depth + 1)));
  if (Array.isArray(schema.allOf))
    return fc
      .tuple(...schema.allOf.map((part: JsonSchema) => valuesOf(part, depth + 1)))
      .map((parts) => Object.assign({}, ...parts));
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'string') return textOf(schema);
  if (type === 'integer' || type === 'number') return numberOf(schema);
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'array')
    return fc.array(valuesOf((schema.items as JsonSchema) ?? {}, depth + 1), {
      minLength: numberIn(schema.minItems, 0),
      maxLength: Math.max(numberIn(schema.minItems, 0), 3),
    });
  if (type === 'object' || schema.properties !== undefined) return objectOf(schema, depth);
  return fc.jsonValue({ maxDepth: 1 });
}

function objectOf(schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = new Set((schema.required ?? []) as string[]);
  // Three of many: a body that has all of them is nearly never allowed.
  const absent = { weight: Math.ceil(properties.length / 3), arbitrary: fc.constant<unknown>(ABSENT) };
  const members = Object.fromEntries(
    properties.map(([name, member]) => {
      const value = valuesOf(member, depth + 1);
      return [name, required.has(name) ? value : fc.oneof(absent, { weight: 1, arbitrary: value })];
    }),
  );
  return fc
    .record(members)
    .map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== ABSENT)));
}

const ABSENT = Symbol('absent');

const TEXTS = [
  'x',
  'name',
  'https://a.example/callback',
  'http://localhost:5555/callback',
  'ada@a.example',
  '2099-01-01T00:00:00.000Z',
  'read:parts',
  '#ff0000',
  'RS256',
  'Staff-of-dev',
  'en',
];

function textOf({ minLength, maxLength }: JsonSchema): fc.Arbitrary<string> {
  const fitting = (text: string) => text.padEnd(numberIn(minLength, 0), 'x').slice(0, numberIn(maxLength, 100_000));
  return fc.oneof(fc.constantFrom(...TEXTS), fc.string({ maxLength: 20 }), evilText).map(fitting);
}

function numberOf({ type, minimum, maximum }: JsonSchema): fc.Arbitrary<number> {
  const min = numberIn(minimum, -2);
  const max = numberIn(maximum, Math.max(min, 100_000));
  return type === 'integer'
    ? fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
    : fc.constantFrom(min, max, (min + max) / 2);
}

function numberIn(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

interface Mutation {
  readonly kind: 'replace' | 'remove' | 'add' | 'wrap';
  /** Which of the places in the body. */
  readonly place: number;
  readonly name: string;
  readonly value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('replace', 'replace', 'remove', 'add', 'wrap'),
  place: fc.nat(200),
  name: fc.oneof(
    evilText,
    fc.constantFrom('constructor', 'toString', 'id', 'tenant_id', 'client_id', 'user_id', 'name'),
  ),
  value: evilJson,
});

function applied([body, mutations]: [unknown, Mutation[]]): unknown {
  const root = { body: structuredClone(body) };
  for (const { kind, place, name, value: shared } of mutations) {
    const value = structuredClone(shared);
    const places = placesIn(root);
    const [owner, key] = places[place % places.length] ?? [root, 'body'];
    const target = Reflect.get(owner, key);
    if (kind === 'replace') Reflect.set(owner, key, value);
    else if (kind === 'wrap') Reflect.set(owner, key, place % 2 === 0 ? [target] : { [name]: target });
    else if (kind === 'remove' && owner !== root) Reflect.deleteProperty(owner, key);
    else if (typeof target === 'object' && target !== null)
      Object.defineProperty(target, Array.isArray(target) ? target.length : name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return root.body;
}

function placesIn(root: object): (readonly [object, string])[] {
  const places: (readonly [object, string])[] = [];
  const open: object[] = [root];
  for (let owner = open.pop(); owner !== undefined && places.length < 200; owner = open.pop()) {
    for (const [key, value] of Object.entries(owner)) {
      places.push([owner, key]);
      if (typeof value === 'object' && value !== null) open.push(value);
    }
  }
  return places;
}

function merged(value: unknown, example: unknown, exampleWins: boolean): unknown {
  if (!isMembers(value) || !isMembers(example)) return value;
  return exampleWins ? { ...value, ...example } : { ...example, ...value };
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function queryFor(parameters: Readonly<Record<string, Parameter>>): fc.Arbitrary<[string, string][]> {
  const known = Object.keys(parameters);
  const name = known.length > 0 ? fc.oneof(fc.constantFrom(...known), fc.constantFrom(...known), evilText) : evilText;
  const value = fc.oneof(evilText, fc.constantFrom('0', '1', '50', 'true', 'false', 'name', 'name:1', 'email:*', 'x'));
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant<[string, string][]>([]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 3 }) },
  );
}
