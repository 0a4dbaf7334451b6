import { callWithCallback } from './call-with-callback.ts';
import type { CompiledProgram } from './compile.ts';
import type { Run } from './current-run.ts';

/** Every rule in order, one after the other. In: `user`, `context`, `configuration`. Out: `user`, `context`. */
export async function runRules(program: CompiledProgram, run: Run): Promise<unknown> {
  let { user, context } = run.input;
  for (const part of program.parts) {
    run.enter(part);
    const [nextUser, nextContext] = await callWithCallback(run, part, [user, context]);
    user = nextUser ?? user;
    context = nextContext ?? context;
  }
  return { user, context };
}
