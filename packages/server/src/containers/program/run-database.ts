import { callWithCallback } from './call-with-callback.ts';
import type { CompiledProgram } from './compile.ts';
import type { Run } from './current-run.ts';

/** One script of a custom database. In: `arguments` without the callback. Out: `results`, what the callback got. */
export async function runDatabase(program: CompiledProgram, run: Run): Promise<unknown> {
  const [part] = program.parts;
  if (!part) throw new Error('There is no script.');
  run.enter(part);
  const { arguments: given } = run.input;
  return { results: await callWithCallback(run, part, Array.isArray(given) ? given : []) };
}
