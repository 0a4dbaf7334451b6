import { callWithCallback } from './call-with-callback.ts';
import type { CompiledProgram } from './compile.ts';
import type { Run } from './current-run.ts';

/**
 * One hook: a function that its module exports. In: `arguments` without the callback, the last of which is the context, and
 * `secrets`. Out: `answer`, what the callback got.
 */
export async function runHook(program: CompiledProgram, run: Run): Promise<unknown> {
  const [part] = program.parts;
  if (!part) throw new Error('There is no hook.');
  run.enter(part);
  const { arguments: given, secrets } = run.input;
  const input = Array.isArray(given) ? given : [];
  const context = { ...input.at(-1), webtask: { secrets: secrets ?? {} } };
  const [answer] = await callWithCallback(run, part, [...input.slice(0, -1), context], part.exports());
  return { answer: answer ?? null };
}
