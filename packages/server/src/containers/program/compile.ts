import type { Part, PartName } from '../job.ts';
import type { ProgramMessage } from '../protocol.ts';
import { auth0Object } from './auth0-object.ts';
import { currentRun, type Run } from './current-run.ts';
import { createTenantRequire } from './require.ts';
import { EXPRESSION_NAMES, expressionBody, LIBRARY_NAMES, MODULE_NAMES } from './source-text.ts';

export interface CompiledProgram {
  readonly hash: string;
  readonly parts: readonly CompiledPart[];
  readonly modules: Readonly<Record<string, string>>;
}

export interface CompiledPart extends PartName {
  /**
   * The value of the part's function expression, made anew for each job, which its `configuration` and `auth0` are of:
   * a callback that a pooled connection calls has lost its way to the job, and still means this one's.
   */
  expression(run: Run): unknown;
  /** `module.exports` of the part as a CommonJS module: evaluated at its first use, then kept. */
  exports(): unknown;
}

type Require = (name: string) => unknown;

const programs = new Map<string, CompiledProgram>();
const MainFunction = Function;
const LIBRARY = 'actions:';

export function keepProgram({ hash, parts, modules }: ProgramMessage): void {
  programs.set(hash, { hash, modules, parts: parts.map((part) => compilePart(part, modules)) });
}

export function compiled(hash: string): CompiledProgram {
  const program = programs.get(hash);
  if (!program) throw new Error('The program was not sent.');
  return program;
}

/** In this realm, since `instanceof Error` and prototypes must be those of the modules. */
function compilePart(part: Part, chosen: Readonly<Record<string, string>>): CompiledPart {
  const { id, name, code } = part;
  const modules = { ...chosen, ...part.modules };
  const require = withLibraries(createTenantRequire(modules), part, modules);
  let factory: ReturnType<typeof Function> | undefined;
  let module: { exports: unknown } | undefined;
  return {
    id,
    name,
    expression(run) {
      factory ??= new MainFunction(...EXPRESSION_NAMES, `${expressionBody(code)}${sourceName(name)}`);
      return factory(require, run.input.configuration ?? {}, auth0Object(run));
    },
    exports() {
      if (!module) {
        const made = { exports: {} as unknown };
        evaluate(code, name, made, require);
        module = made;
      }
      return module.exports;
    },
  };
}

/** As Node does: whoever requires a library that is being evaluated gets what it has exported so far. */
function withLibraries(require: Require, { libraries = [] }: Part, modules: Readonly<Record<string, string>>): Require {
  if (libraries.length === 0) return require;
  const loaded = new Map<string, { exports: unknown }>();
  const requireAlso: Require = (request) => {
    const found = libraries.find(({ name }) => request === LIBRARY + name);
    if (!found) return require(request);
    const known = loaded.get(found.name);
    if (known) return known.exports;
    const made = { exports: {} as unknown };
    loaded.set(found.name, made);
    try {
      const own = createTenantRequire({ ...modules, ...found.modules });
      evaluate(found.code, found.name, made, (name) => (isLibrary(name) ? requireAlso(name) : own(name)), {
        get secrets() {
          return secretsOf(found);
        },
      });
    } catch (cause) {
      loaded.delete(found.name);
      throw cause;
    }
    return made.exports;
  };
  return requireAlso;
}

function isLibrary(name: unknown): boolean {
  return typeof name === 'string' && name.startsWith(LIBRARY);
}

/** They come with each job, and are never kept with the code. */
function secretsOf({ id }: Part): unknown {
  const { librarySecrets } = currentRun()?.input ?? {};
  return (typeof librarySecrets === 'object' && librarySecrets !== null && Reflect.get(librarySecrets, id)) || {};
}

function evaluate(code: string, name: string, module: { exports: unknown }, require: Require, actions?: object): void {
  const names = actions ? LIBRARY_NAMES : MODULE_NAMES;
  new MainFunction(...names, `${code}\n${sourceName(name)}`).call(
    module.exports,
    module.exports,
    require,
    module,
    `/${name}.js`,
    '/',
    actions,
  );
}

/** Stacks then speak of the rule, not of an anonymous function. */
function sourceName(name: string): string {
  return `\n//# sourceURL=${name.replace(/[^\w.-]/g, '-')}`;
}
