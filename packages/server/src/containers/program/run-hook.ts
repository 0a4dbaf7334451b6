import type { CompiledProgram } from './compile.ts';
import type { Run } from './current-run.ts';

/** A hook: filled in with the trigger points. */
export async function runHook(_program: CompiledProgram, _run: Run): Promise<unknown> {
  throw new Error('Hooks are not run yet.');
}
