import { Ajv, type ValidateFunction } from 'ajv';
import { definitionNamed, type JsonSchema, type Operation } from './catalogue.ts';
import { checkTexts } from './check-text.ts';
import { formats } from './formats.ts';
import { managementErrors } from './management-errors.ts';
import { describeErrors, describeProblem } from './validation-message.ts';

// Nothing is changed in a body: what passes is what was sent. Tenants share the compiled schemas.
const ajv = new Ajv({
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  allErrors: false,
  verbose: true,
  ownProperties: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  validateSchema: false,
  addUsedSchema: false,
  unicodeRegExp: false,
  code: { optimize: false },
});
for (const [name, check] of Object.entries(formats)) ajv.addFormat(name, check);

const compiled = new Map<string, ValidateFunction>();
const added = new Set<string>();

/** Refuses a body that the operation's schema does not allow; the first fault is told. */
export function validateBody(operation: Pick<Operation, 'name' | 'body'>, body: unknown): void {
  if (operation.body === undefined) return;
  const problem = checkTexts(body);
  if (problem !== undefined) throw managementErrors.invalidBody({ problem: describeProblem(problem) });
  const validate = validatorOf(operation.name, operation.body);
  if (!validate(body)) throw managementErrors.invalidBody({ problem: describeErrors(validate.errors ?? []) });
}

/** Compiled at first use: compiling all of them would cost every start a second. */
export function validatorOf(name: string, schema: JsonSchema): ValidateFunction {
  let validate = compiled.get(name);
  if (validate === undefined) {
    addReferences(schema);
    validate = ajv.compile(schema);
    compiled.set(name, validate);
  }
  return validate;
}

function addReferences(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) addReferences(item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (key === '$ref' && typeof member === 'string') addDefinition(member);
      // A format that nothing here checks yet is tolerated.
      else if (key === 'format' && typeof member === 'string') ajv.formats[member] ??= true;
      else addReferences(member);
    }
  }
}

function addDefinition(name: string): void {
  if (added.has(name)) return;
  added.add(name);
  const definition = definitionNamed(name);
  ajv.addSchema(definition, name);
  addReferences(definition);
}
