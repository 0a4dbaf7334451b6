import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseJson } from '../kit/parse-json.ts';
import type { Operation } from './catalogue.ts';
import { definitionNamed, type JsonSchema } from './catalogue.ts';
import { managementErrors } from './management-errors.ts';
import { describeProblem } from './validation-message.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
const MAX_PAIRS = 1_000;
/** Read only after the token was verified. */
const BODY = { parseAs: 'buffer', bodyLimit: 1_048_576 } as const;

/** A form body before the operation's schema gives its values their types. */
class FormBody {
  readonly pairs: readonly (readonly [string, string])[];
  constructor(pairs: readonly (readonly [string, string])[]) {
    this.pairs = pairs;
  }
}

/** The one operation that takes a page as it is. */
const TAKES_HTML = /\/branding\/templates\/universal-login$/;

/** JSON in strict UTF-8 and forms, and HTML where it is the thing itself; any other content type is a 415. */
export function addManagementBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', BODY, async (_request: unknown, body: Buffer) =>
    body.length === 0 ? undefined : readJson(body),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    BODY,
    async (_request: unknown, body: Buffer) => new FormBody(parsePairs(body)),
  );
  app.addContentTypeParser('text/html', BODY, async ({ routeOptions }: FastifyRequest, body: Buffer) => {
    if (!TAKES_HTML.test(routeOptions.url ?? '')) throw managementErrors.unsupportedMediaType();
    return readUtf8(body);
  });
}

/** The body as the operation's schema sees it; forms carry text, so numbers and booleans are read from it where they are meant. */
export function bodyOf(raw: unknown, operation: Operation): unknown {
  if (!(raw instanceof FormBody)) return raw;
  const body: Record<string, unknown> = {};
  const properties = propertiesOf(operation.body);
  for (const [name, text] of raw.pairs) {
    const types = Object.hasOwn(properties, name) ? typesOf(properties[name]) : new Set<string>();
    const isRepeated = Object.hasOwn(body, name);
    if (types.has('array')) {
      const previous = isRepeated ? body[name] : [];
      body[name] = [...(Array.isArray(previous) ? previous : []), text];
    } else if (isRepeated) {
      const type = [...types][0] ?? 'string';
      throw refuse(`Expected type ${type} but found type array`, name);
    } else {
      body[name] = readText(text, types);
    }
  }
  return body;
}

function readText(text: string, types: ReadonlySet<string>): unknown {
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  const isNumeric = types.has('number') || types.has('integer');
  if (isNumeric && !types.has('string') && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text)) return Number(text);
  return text;
}

function propertiesOf(schema: JsonSchema | undefined): Readonly<Record<string, JsonSchema>> {
  if (typeof schema?.$ref === 'string') return propertiesOf(definitionNamed(schema.$ref));
  return isTable(schema?.properties) ? schema.properties : {};
}

function typesOf(schema: JsonSchema | undefined): Set<string> {
  if (schema === undefined) return new Set();
  if (typeof schema.$ref === 'string') return typesOf(definitionNamed(schema.$ref));
  if (Array.isArray(schema.anyOf)) return new Set(schema.anyOf.flatMap((branch) => [...typesOf(branch)]));
  if (Array.isArray(schema.enum)) return new Set(schema.enum.map((value) => typeof value));
  return new Set([schema.type].flat().map(String));
}

function isTable(value: unknown): value is Readonly<Record<string, JsonSchema>> {
  return typeof value === 'object' && value !== null;
}

function readJson(body: Buffer): unknown {
  try {
    return parseJson(utf8.decode(body));
  } catch (cause) {
    throw managementErrors.unreadableBody({}, { cause });
  }
}

function readUtf8(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw managementErrors.unreadableBody({}, { cause });
  }
}

function parsePairs(body: Buffer): (readonly [string, string])[] {
  try {
    const text = utf8.decode(body);
    const pairs = text.split('&', MAX_PAIRS + 1).filter(Boolean);
    if (pairs.length > MAX_PAIRS) throw new RangeError('too many parameters');
    return pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      if (decode(name) === '__proto__') throw new SyntaxError('__proto__ is no property');
      return [decode(name), decode(value.join('='))] as const;
    });
  } catch (cause) {
    throw managementErrors.unreadableBody({}, { cause });
  }
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function refuse(text: string, property: string) {
  return managementErrors.invalidBody({ problem: describeProblem(text, property) });
}
