// The catalogue writes types compactly: `string|null {maxLength=140}`, `("a"|"b")[]`, `map<any>`, `SomeName`.
// This turns that notation into JSON Schema.

export type Schema = { readonly [keyword: string]: unknown };

/** Turns one type of the catalogue into a JSON Schema; names become `{ $ref: name }`. */
export function toSchema(notation: string): Schema {
  const { type, constraints } = splitConstraints(notation);
  const reader = new TypeReader(type);
  const schema = reader.readUnion();
  reader.expectEnd();
  return withConstraints(schema, constraints);
}

const KEYS =
  'maxLength|minLength|format|pattern|default|minimum|maximum|minItems|maxItems|minProperties|maxProperties|int';

function splitConstraints(notation: string): { type: string; constraints: Map<string, string> } {
  const text = notation.replace(/ \{(?:sdkSends=[^}]*|notInSdk)\}$/, '');
  const start = text.search(new RegExp(` \\{(?:${KEYS})(?:=| |\\})`));
  const constraints = new Map<string, string>();
  if (start < 0) return { type: text, constraints };
  // A pattern may hold spaces and braces, so only a known word behind a space begins the next constraint.
  for (const part of text.slice(start + 2, -1).split(new RegExp(` (?=(?:${KEYS})(?:=| |$))`))) {
    const equals = part.indexOf('=');
    if (equals < 0) constraints.set(part, '');
    else constraints.set(part.slice(0, equals), part.slice(equals + 1));
  }
  return { type: text.slice(0, start), constraints };
}

function withConstraints(schema: Schema, constraints: ReadonlyMap<string, string>): Schema {
  const result: Record<string, unknown> = { ...schema };
  for (const [key, value] of constraints) {
    if (key === 'default') continue; // often only a documentation example, and the server fills in its own defaults
    if (key === 'int') result.type = intoInteger(result.type);
    else if (key === 'format' || key === 'pattern') result[key] = value;
    else if (Number.isFinite(Number(value))) result[key] = Number(value);
  }
  return result;
}

function intoInteger(type: unknown): unknown {
  if (Array.isArray(type)) return type.map(intoInteger);
  return type === 'number' ? 'integer' : type;
}

const PRIMITIVES = new Set(['string', 'number', 'integer', 'boolean', 'null']);

class TypeReader {
  #rest: string;
  readonly #whole: string;

  constructor(text: string) {
    this.#rest = text;
    this.#whole = text;
  }

  readUnion(): Schema {
    const branches = [this.#readPostfix()];
    while (this.#take('|')) branches.push(this.#readPostfix());
    return unite(branches);
  }

  expectEnd(): void {
    if (this.#rest !== '') this.#fail();
  }

  #readPostfix(): Schema {
    let schema = this.#readAtom();
    while (this.#take('[]')) schema = { type: 'array', items: schema };
    return schema;
  }

  #readAtom(): Schema {
    if (this.#take('(')) return this.#until(')', this.readUnion());
    if (this.#take('map<')) return { type: 'object', additionalProperties: this.#until('>', this.readUnion()) };
    if (this.#take('{')) return this.#readObject();
    const literal = this.#match(/^(?:"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true\b|false\b)/);
    if (literal !== undefined) return { enum: [JSON.parse(literal)] };
    // The catalogue shortens long enumerations to their length: what is in them is not known here.
    if (this.#match(/^enum\[\d+\]/) !== undefined) return { type: 'string' };
    const name = this.#match(/^[A-Za-z_$][\w$.]*/);
    if (name === undefined) return this.#fail();
    if (name === 'any' || name === 'unknown') return {};
    return PRIMITIVES.has(name) ? { type: name } : { $ref: name };
  }

  #readObject(): Schema {
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    while (!this.#take('}')) {
      const name = this.#match(/^[\w-]+/) ?? this.#fail();
      if (!this.#take('?')) required.push(name);
      if (!this.#take(':')) this.#fail();
      properties[name] = this.readUnion();
      this.#take(',');
    }
    return { type: 'object', properties, ...(required.length > 0 && { required }) };
  }

  #until(end: string, schema: Schema): Schema {
    return this.#take(end) ? schema : this.#fail();
  }

  #take(token: string): boolean {
    if (!this.#rest.startsWith(token)) return false;
    this.#rest = this.#rest.slice(token.length);
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    const found = pattern.exec(this.#rest)?.[0];
    if (found !== undefined) this.#rest = this.#rest.slice(found.length);
    return found;
  }

  #fail(): never {
    throw new Error(`The type "${this.#whole}" can't be read at "${this.#rest}".`);
  }
}

/** One schema for several branches: literals become one enum, primitives one list of types, the rest an anyOf. */
export function unite(branches: readonly Schema[]): Schema {
  if (branches.some((branch) => Object.keys(branch).length === 0)) return {};
  const literals = branches.flatMap((branch) => (Array.isArray(branch.enum) ? branch.enum : []));
  const types = branches.filter(isPlainType).map((branch) => branch.type);
  const others = branches.filter((branch) => !Array.isArray(branch.enum) && !isPlainType(branch));
  const united: Schema[] = [...distinct(others)];
  if (literals.length > 0) united.push({ enum: distinct(types.includes('null') ? [...literals, null] : literals) });
  const plain = distinct(literals.length > 0 ? types.filter((type) => type !== 'null') : types);
  if (plain.length > 0) united.push({ type: plain.length === 1 ? plain[0] : plain });
  const [only] = united;
  return united.length === 1 && only !== undefined ? only : { anyOf: united };
}

function isPlainType(schema: Schema): boolean {
  return Object.keys(schema).length === 1 && typeof schema.type === 'string';
}

function distinct<Item>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
