import type { CompiledProgram } from './compile.ts';
import type { Run } from './current-run.ts';

/** The actions of a trigger: filled in with their `event` and `api`. */
export async function runAction(_program: CompiledProgram, _run: Run): Promise<unknown> {
  throw new Error('Actions are not run yet.');
}
