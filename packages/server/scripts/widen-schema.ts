import { type Schema, unite } from './type-notation.ts';

type Definitions = ReadonlyMap<string, Schema>;

/** Makes an object schema accept the fields and types that real requests were seen to carry: recordings beat the documents. */
export function widenWith(schema: Schema, seen: Readonly<Record<string, string>>, definitions: Definitions): Schema {
  if (schema.type !== 'object' || !isSchema(schema.properties)) return schema;
  const properties: Record<string, unknown> = { ...schema.properties };
  for (const [field, shape] of Object.entries(seen)) {
    const documented = properties[field];
    if (documented === undefined && schema.additionalProperties !== false) continue;
    const wanted = shape.split('|').map(schemaOfShape);
    properties[field] = isSchema(documented) ? accepting(documented, wanted, definitions) : unite(wanted);
  }
  return { ...schema, properties };
}

function schemaOfShape(shape: string): Schema {
  return { type: shape.endsWith('[]') ? 'array' : shape };
}

function accepting(documented: Schema, wanted: readonly Schema[], definitions: Definitions): Schema {
  const accepted = typesOf(documented, definitions, new Set());
  const missing = wanted.filter(({ type }) => !accepted.has('any') && !accepted.has(String(type)));
  if (missing.length === 0) return documented;
  const { type } = documented;
  if (typeof type === 'string' && missing.every((schema) => schema.type === 'null')) {
    const nullable = { ...documented, type: [type, 'null'] };
    return Array.isArray(documented.enum) ? { ...nullable, enum: [...documented.enum, null] } : nullable;
  }
  return unite([documented, ...missing]);
}

function typesOf(schema: Schema, definitions: Definitions, visited: Set<string>): Set<string> {
  if (typeof schema.$ref === 'string') {
    const target = definitions.get(schema.$ref);
    if (target === undefined || visited.has(schema.$ref)) return new Set(['any']);
    return typesOf(target, definitions, visited.add(schema.$ref));
  }
  if (Array.isArray(schema.anyOf)) {
    return new Set(schema.anyOf.filter(isSchema).flatMap((branch) => [...typesOf(branch, definitions, visited)]));
  }
  if (Array.isArray(schema.enum)) return new Set(schema.enum.map((value) => (value === null ? 'null' : typeof value)));
  if (schema.type === undefined) return new Set(['any']);
  const types = new Set([schema.type].flat().map(String));
  if (types.has('integer')) types.add('number');
  return types;
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
