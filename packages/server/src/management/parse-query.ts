import type { QueryValue } from './call.ts';
import type { Operation, Parameter } from './catalogue.ts';
import { checkText } from './check-text.ts';
import { managementErrors } from './management-errors.ts';
import { describeProblem, found, shorten } from './validation-message.ts';

export type Query = Readonly<Record<string, QueryValue | undefined>>;

const MAX_PAIRS = 200;

/** What SDKs send with any read, whether the catalogue lists it there or not. */
const ALWAYS_ACCEPTED: Readonly<Record<string, Parameter>> = {
  page: { type: 'integer', minimum: 0 },
  per_page: { type: 'integer', minimum: 0, maximum: 100 },
  include_totals: { type: 'boolean' },
  fields: { type: 'string' },
  include_fields: { type: 'boolean' },
};

/** The documents leave some limits out that hold on every list. */
const LIMITS: Readonly<Record<string, Parameter>> = {
  page: { minimum: 0 },
  per_page: { minimum: 0, maximum: 100 },
  take: { minimum: 1, maximum: 100 },
};

/** Of a checkpoint page of these every other parameter is ignored, whatever it says: exporters send what their search sends. */
const CHECKPOINTS_ALONE: ReadonlySet<string> = new Set(['GET /logs']);
const CHECKPOINT_PARAMETERS: ReadonlySet<string> = new Set(['from', 'take']);

/** Parses the query of a URL by the operation's parameters: nothing unknown, nothing twice, each of its type. */
export function parseQuery(url: string, operation: Operation): Query {
  const values: Record<string, QueryValue> = Object.create(null);
  const unknown: string[] = [];
  for (const [name, value] of pairsThatCount(url, operation)) {
    const parameter = parameterNamed(name, operation);
    if (parameter === undefined) unknown.push(name);
    else if (parameter.repeatable) values[name] = [...listOf(values[name]), String(readValue(name, value, parameter))];
    else if (name in values) throw refuse(`Expected type ${parameter.type ?? 'string'} but found type array`, name);
    else values[name] = readValue(name, value, parameter);
  }
  if (unknown.length > 0) {
    const names = [...new Set(unknown)]
      .slice(0, 10)
      .map((name) => shorten(name))
      .join(',');
    throw refuse(`Additional properties not allowed: ${names}`);
  }
  for (const [name, { required }] of Object.entries(operation.query)) {
    if (required && values[name] === undefined) throw refuse(`Missing required property: ${name}`);
  }
  return values;
}

function pairsThatCount(url: string, { name: operation }: Operation): (readonly [string, string])[] {
  const pairs = pairsOf(url);
  if (!CHECKPOINTS_ALONE.has(operation)) return pairs;
  const checkpoint = pairs.filter(([name]) => CHECKPOINT_PARAMETERS.has(name));
  return checkpoint.length > 0 ? checkpoint : pairs;
}

function parameterNamed(name: string, operation: Operation): Parameter | undefined {
  const documented = Object.hasOwn(operation.query, name) ? operation.query[name] : undefined;
  if (documented !== undefined) return { ...(Object.hasOwn(LIMITS, name) ? LIMITS[name] : {}), ...documented };
  const isRead = operation.method === 'GET';
  return isRead && Object.hasOwn(ALWAYS_ACCEPTED, name) ? ALWAYS_ACCEPTED[name] : undefined;
}

function readValue(name: string, text: string, parameter: Parameter): string | number | boolean {
  if (parameter.type === 'boolean') {
    if (text !== 'true' && text !== 'false') throw refuse('Expected type boolean but found type string', name);
    return text === 'true';
  }
  if (parameter.type === 'integer' || parameter.type === 'number') return readNumber(name, text, parameter);
  const { length } = text;
  if (parameter.enum !== undefined && !parameter.enum.includes(text))
    throw refuse(`No enum match for: ${shorten(text)}`, name);
  if (parameter.minLength !== undefined && length < parameter.minLength) {
    throw refuse(`String is too short (${length} chars), minimum ${parameter.minLength}`, name);
  }
  if (parameter.maxLength !== undefined && length > parameter.maxLength) {
    throw refuse(`String is too long (${length} chars), maximum ${parameter.maxLength}`, name);
  }
  return text;
}

function readNumber(name: string, text: string, { type, minimum, maximum }: Parameter): number {
  const value = /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
  if (value === undefined || (type === 'integer' && !Number.isInteger(value))) {
    throw refuse(`Expected type ${type} but found type ${value === undefined ? 'string' : found(value)}`, name);
  }
  if (minimum !== undefined && value < minimum) throw refuse(`Value ${value} is less than minimum ${minimum}`, name);
  if (maximum !== undefined && value > maximum) throw refuse(`Value ${value} is greater than maximum ${maximum}`, name);
  return value;
}

function pairsOf(url: string): (readonly [string, string])[] {
  const start = url.indexOf('?');
  if (start < 0 || start === url.length - 1) return [];
  const pairs = url.slice(start + 1).split('&', MAX_PAIRS + 1);
  if (pairs.length > MAX_PAIRS) throw refuse(`Too many properties defined (${pairs.length}), maximum ${MAX_PAIRS}`);
  return pairs.filter(Boolean).map((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0
      ? ([decode(pair), ''] as const)
      : ([decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))] as const);
  });
}

function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw managementErrors.invalidQuery({ problem: describeProblem('Invalid percent-encoding') }, { cause });
  }
  const problem = checkText(decoded);
  if (problem !== undefined) throw refuse(problem);
  return decoded;
}

function listOf(value: QueryValue | undefined): readonly string[] {
  return Array.isArray(value) ? value : [];
}

function refuse(text: string, property?: string) {
  return managementErrors.invalidQuery({ problem: describeProblem(text, property) });
}
