import type { Part, PartName } from '../job.ts';
import type { ProgramMessage } from '../protocol.ts';
import { auth0Object } from './auth0-object.ts';
import type { Run } from './current-run.ts';
import { createTenantRequire } from './require.ts';

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

const programs = new Map<string, CompiledProgram>();
const MainFunction = Function;

export function keepProgram({ hash, parts, modules }: ProgramMessage): void {
  const require = createTenantRequire(modules);
  programs.set(hash, { hash, modules, parts: parts.map((part) => compilePart(part, require)) });
}

export function compiled(hash: string): CompiledProgram {
  const program = programs.get(hash);
  if (!program) throw new Error('The program was not sent.');
  return program;
}

/**
 * In this realm, since `instanceof Error` and prototypes must be those of the modules. Comments may end the code, and a
 * trailing semicolon is forgiven.
 */
function compilePart({ id, name, code }: Part, require: (name: string) => unknown): CompiledPart {
  let factory: ReturnType<typeof Function> | undefined;
  let module: { exports: unknown } | undefined;
  return {
    id,
    name,
    expression(run) {
      const body = () => `return (${withoutSemicolons(code)}\n);${sourceName(name)}`;
      factory ??= new MainFunction('require', 'configuration', 'auth0', body());
      return factory(require, run.input.configuration ?? {}, auth0Object(run));
    },
    exports() {
      if (!module) {
        const made = { exports: {} as unknown };
        new MainFunction(
          'exports',
          'require',
          'module',
          '__filename',
          '__dirname',
          `${code}\n${sourceName(name)}`,
        ).call(made.exports, made.exports, require, made, `/${name}.js`, '/');
        module = made;
      }
      return module.exports;
    },
  };
}

function withoutSemicolons(code: string): string {
  return code.replace(/(?:\s|;)+$/, '');
}

/** Stacks then speak of the rule, not of an anonymous function. */
function sourceName(name: string): string {
  return `\n//# sourceURL=${name.replace(/[^\w.-]/g, '-')}`;
}
