import type { ErrorObject } from 'ajv';

const MAX_ECHO = 200;

/** Words a refusal as Auth0's API does: `'Expected type string but found type integer' on property name`. */
export function describeProblem(text: string, property?: string): string {
  return property === undefined || property === '' ? `'${text}'` : `'${text}' on property ${shorten(property)}`;
}

/** The sentence for the first thing that is wrong with a body. */
export function describeErrors(errors: readonly ErrorObject[]): string {
  const error = decisive(errors);
  return error === undefined ? describeProblem('Invalid value') : describeProblem(sentenceOf(error), propertyOf(error));
}

/** Of a union with one real branch (`X | null`) the branch's own complaint says more than "matches none". */
function decisive(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const last = errors.at(-1);
  if (last?.keyword !== 'anyOf' || !Array.isArray(last.schema)) return last;
  const real = last.schema.filter((branch: { type?: unknown }) => branch.type !== 'null');
  if (real.length !== 1 || last.data === null) return last;
  const ofBranch = errors.slice(0, -1).filter((error) => error.params.type !== 'null');
  return decisive(ofBranch) ?? last;
}

function sentenceOf({ keyword, params, data, parentSchema }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return `Expected type ${[params.type].flat().join(',')} but found type ${found(data)}`;
    case 'additionalProperties':
      return `Additional properties not allowed: ${additionalProperties(data, parentSchema).map(shorten).join(',')}`;
    case 'required':
      return `Missing required property: ${params.missingProperty}`;
    case 'enum':
      return `No enum match for: ${echo(data)}`;
    case 'pattern':
      return `String does not match pattern ${params.pattern}: ${echo(data)}`;
    case 'format':
      return `Object didn't pass validation for format ${params.format}: ${echo(data)}`;
    case 'minLength':
      return `String is too short (${sizeOf(data)} chars), minimum ${params.limit}`;
    case 'maxLength':
      return `String is too long (${sizeOf(data)} chars), maximum ${params.limit}`;
    case 'minimum':
      return `Value ${echo(data)} is less than minimum ${params.limit}`;
    case 'maximum':
      return `Value ${echo(data)} is greater than maximum ${params.limit}`;
    case 'minItems':
      return `Array is too short (${sizeOf(data)}), minimum ${params.limit}`;
    case 'maxItems':
      return `Array is too long (${sizeOf(data)}), maximum ${params.limit}`;
    case 'minProperties':
      return `Too few properties defined (${sizeOf(data)}), minimum ${params.limit}`;
    case 'maxProperties':
      return `Too many properties defined (${sizeOf(data)}), maximum ${params.limit}`;
    default:
      return `Data does not match any schemas from '${keyword}'`;
  }
}

function additionalProperties(data: unknown, schema: ErrorObject['parentSchema']): string[] {
  const known = schema?.properties ?? {};
  return Object.keys(Object(data))
    .filter((name) => !Object.hasOwn(known, name))
    .slice(0, 20);
}

/** `/groups/0/email` → `groups[0].email` */
function propertyOf({ instancePath }: ErrorObject): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '');
}

/** The type of a value in JSON Schema's words. */
export function found(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function sizeOf(data: unknown): number {
  if (typeof data === 'string') return [...data].length;
  return Array.isArray(data) ? data.length : Object.keys(Object(data)).length;
}

function echo(data: unknown): string {
  return shorten(typeof data === 'string' ? data : JSON.stringify(data));
}

/** An answer repeats what was wrong, but not a megabyte of it. */
export function shorten(text: string): string {
  return text.length <= MAX_ECHO ? text : `${text.slice(0, MAX_ECHO).toWellFormed()}…`;
}
