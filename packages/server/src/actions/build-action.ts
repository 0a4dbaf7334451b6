import type { CheckSyntax } from '../containers/syntax/check-syntax.ts';
import { type CodeForm, faultInLine } from '../containers/syntax/syntax-fault.ts';
import { digest } from '../kit/digest.ts';
import { type Action, type ActionSource, actionErrors, type CodeFault, type Dependency } from './action.ts';

/** The version of a module that the module store has for this name and version (`latest` included), if it has one. */
export type FindModule = (name: string, version: string) => Promise<string | undefined>;

export interface Build {
  readonly status: 'built' | 'failed';
  /** With the versions that were found: `latest` is one of them from now on. */
  readonly dependencies: readonly Dependency[];
  readonly problems: readonly Problem[];
}

/** As the API tells it in `errors`. */
export interface Problem {
  readonly id: 'module_not_found' | 'syntax_error';
  readonly msg: string;
}

/**
 * Nothing is installed when an action is saved, so building is looking whether all is there: it is done at once, at each read
 * anew, and an operator who adds a module has mended every action that waits for it. `fault`: what is wrong with the code.
 */
export async function buildAction(
  dependencies: readonly Dependency[],
  fault: string | undefined,
  findModule: FindModule,
): Promise<Build> {
  const found = await Promise.all(
    dependencies.map(async ({ name, version }) => ({ name, version, at: await findModule(name, version) })),
  );
  const problems: Problem[] = [
    ...(fault === undefined ? [] : [{ id: 'syntax_error' as const, msg: fault }]),
    ...found
      .filter(({ at }) => at === undefined)
      .map(({ name, version }) => ({ id: 'module_not_found' as const, msg: missing(name, version) })),
  ];
  return {
    status: problems.length === 0 ? 'built' : 'failed',
    dependencies: found.map(({ name, version, at }) => ({ name, version: at ?? version })),
    problems,
  };
}

export function refuseFailed({ problems }: Build): void {
  if (problems.length > 0) throw actionErrors.notBuilt({ problems: textOf(problems) });
}

export function textOf(problems: readonly Problem[]): string {
  return problems.map(({ msg }) => msg).join(' ');
}

/** What is wrong with code, as it was found before a lock was taken. */
export interface Foreseen {
  readonly code: string;
  readonly fault: string | undefined;
}

/**
 * Never inside of a transaction: another process reads the code, for many seconds where the code is made for that, and those
 * who wait for the lock meanwhile would hold all connections of the server.
 */
export async function foresee(
  checkSyntax: CheckSyntax,
  tenantId: string,
  code: string,
  form: CodeForm,
): Promise<Foreseen> {
  const fault = await checkSyntax(tenantId, code, form);
  return { code, fault: fault && faultInLine(fault) };
}

/** Compiles new code, as a draft keeps what comes of it: reading a list of actions compiles nothing. */
export async function faultOfCode(
  checkSyntax: CheckSyntax,
  tenantId: string,
  code: string,
): Promise<CodeFault | undefined> {
  const fault = await checkSyntax(tenantId, code, 'module');
  return fault && { codeHash: digest(code), message: faultInLine(fault) };
}

/** Of the code as it is now. */
export function faultOf({
  source,
  codeFault,
}: { source: ActionSource } & Pick<Action, 'codeFault'>): string | undefined {
  return digest(source.code) === codeFault?.codeHash ? codeFault.message : undefined;
}

function missing(name: string, version: string): string {
  const module = `${name}@${version}`;
  return `The module ${module} is not in the module store: its operator adds it with gatewright modules add ${module}.`;
}
