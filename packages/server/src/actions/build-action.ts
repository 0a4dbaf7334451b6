import { actionErrors, type Dependency } from './action.ts';

/** The version of a module that the module store has for this name and version (`latest` included), if it has one. */
export type FindModule = (name: string, version: string) => Promise<string | undefined>;

export interface Build {
  readonly status: 'built' | 'failed';
  /** With the versions that were found: `latest` is one of them from now on. */
  readonly dependencies: readonly Dependency[];
  readonly problems: readonly string[];
}

/**
 * Nothing is installed when an action is saved, so building is looking whether all is there: it is done at once, at each read
 * anew, and an operator who adds a module has mended every action that waits for it.
 */
export async function buildAction(dependencies: readonly Dependency[], findModule: FindModule): Promise<Build> {
  const found = await Promise.all(
    dependencies.map(async ({ name, version }) => ({ name, version, at: await findModule(name, version) })),
  );
  const problems = found.filter(({ at }) => at === undefined).map(({ name, version }) => missing(name, version));
  return {
    status: problems.length === 0 ? 'built' : 'failed',
    dependencies: found.map(({ name, version, at }) => ({ name, version: at ?? version })),
    problems,
  };
}

export function refuseFailed({ problems }: Build): void {
  if (problems.length > 0) throw actionErrors.notBuilt({ problems: problems.join(' ') });
}

function missing(name: string, version: string): string {
  const module = `${name}@${version}`;
  return `The module ${module} is not in the module store: its operator adds it with gatewright modules add ${module}.`;
}
