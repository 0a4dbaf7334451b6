import { readFileSync } from 'node:fs';
import { ALERT_OPERATIONS } from './own-alert-operations.ts';
import { OWN_DEFINITIONS, OWN_OPERATIONS } from './own-operations.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

/** A query or path parameter: one plain type with limits. */
export interface Parameter {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean';
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  /** Of the query: a request without it is refused. */
  readonly required?: boolean;
  /** Whether it may come several times; the handler then gets a list. */
  readonly repeatable?: boolean;
}

/** One operation of the Management API as the generated catalogue describes it. */
export interface Operation {
  /** `PATCH /clients/{id}` */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly resource: string;
  readonly action: string;
  /** Any one of them is enough. */
  readonly scopes: readonly string[];
  readonly status: number;
  readonly params: Readonly<Record<string, Parameter>>;
  readonly query: Readonly<Record<string, Parameter>>;
  /** The member that holds the items of a list. */
  readonly items?: string;
  readonly body?: JsonSchema;
  readonly bodyType?: string;
}

export type StoredOperation = Omit<Operation, 'name' | 'method' | 'path'>;

const operations: Readonly<Record<string, StoredOperation>> = {
  ...readGenerated('operations'),
  ...OWN_OPERATIONS,
  ...ALERT_OPERATIONS,
};
let definitions: ReadonlyMap<string, JsonSchema> | undefined;

export const operationNames: readonly string[] = Object.keys(operations);

/** An operation that the catalogue lacks is a mistake in a routes file, found when the server starts. */
export function operationNamed(name: string): Operation {
  const stored = Object.hasOwn(operations, name) ? operations[name] : undefined;
  const [method, path] = name.split(' ');
  if (stored === undefined || !isMethod(method) || path === undefined) {
    throw new Error(`The Management API has no operation "${name}".`);
  }
  return { name, method, path, ...stored };
}

/** A named type that request bodies refer to. */
export function definitionNamed(name: string): JsonSchema {
  const definition = allDefinitions().get(name);
  if (definition === undefined) throw new Error(`The catalogue has no type "${name}".`);
  return definition;
}

/** Read when the first body is validated. */
function allDefinitions(): ReadonlyMap<string, JsonSchema> {
  definitions ??= new Map(Object.entries({ ...readGenerated('definitions'), ...OWN_DEFINITIONS }));
  return definitions;
}

function readGenerated(name: string) {
  return JSON.parse(readFileSync(new URL(`./catalogue/${name}.generated.json`, import.meta.url), 'utf8'));
}

function isMethod(text: string | undefined): text is Operation['method'] {
  return text === 'GET' || text === 'POST' || text === 'PUT' || text === 'PATCH' || text === 'DELETE';
}
