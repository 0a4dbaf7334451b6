import type { Schema } from './type-notation.ts';
import { isSchema } from './widen-schema.ts';

const LIMITS = ['minimum', 'maximum', 'minLength', 'maxLength', 'pattern'] as const;

/** What the server must know of a query parameter: one plain type, its limits, and whether it may be repeated. */
export function parameterOf(schema: Schema, definitions: ReadonlyMap<string, Schema>): Schema {
  const branches = flatten(schema, definitions);
  const isRepeatable = branches.some((branch) => branch.type === 'array');
  const elements = branches.flatMap((branch) =>
    branch.type === 'array' && isSchema(branch.items) ? flatten(branch.items, definitions) : [branch],
  );
  const types = new Set(elements.flatMap((element) => [element.type].flat()).filter((type) => type !== 'null'));
  const values = elements.flatMap((element) => (Array.isArray(element.enum) ? element.enum : []));
  const isOpen = elements.some((element) => element.enum === undefined && element.type !== 'null');
  const [type] = types.size === 1 ? types : ['string'];
  return {
    type: isOpen ? type : 'string',
    ...(!isOpen && { enum: [...new Set(values.filter((value) => value !== null).map(String))] }),
    ...(isRepeatable && { repeatable: true }),
    ...Object.fromEntries(LIMITS.filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]])),
  };
}

function flatten(schema: Schema, definitions: ReadonlyMap<string, Schema>): Schema[] {
  if (typeof schema.$ref === 'string') return flatten(definitions.get(schema.$ref) ?? { type: 'string' }, definitions);
  if (Array.isArray(schema.anyOf))
    return schema.anyOf.filter(isSchema).flatMap((branch) => flatten(branch, definitions));
  return [schema];
}
