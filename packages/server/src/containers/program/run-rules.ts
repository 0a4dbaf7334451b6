import type { PartName } from '../job.ts';
import { callWithCallback } from './call-with-callback.ts';
import type { CompiledProgram } from './compile.ts';
import type { Run } from './current-run.ts';
import { redactContext } from './redact-context.ts';

/** Every rule in order, one after the other. In: `user`, `context`, `configuration`. Out: `user`, `context`. */
export async function runRules(program: CompiledProgram, run: Run): Promise<unknown> {
  const { user, context, configuration } = run.input;
  redactContext(context, configuration);
  for (const part of program.parts) {
    run.enter(part);
    const [nextUser, nextContext] = await callWithCallback(run, part, [user, context]);
    take(run, part, { user, context }, { user: nextUser, context: nextContext });
  }
  // A copy, which is told as it is.
  return { user, context: { ...Object(context) } };
}

type Pair = Readonly<Record<'user' | 'context', unknown>>;

/**
 * Rules pass on the objects that they got. Whoever made new ones has its members taken over into the first ones, which
 * earlier rules may have kept, and is told of it; what is no object, or the wrong one, is passed over.
 */
function take(run: Run, part: PartName, kept: Pair, given: Pair): void {
  for (const name of ['user', 'context'] as const) {
    const value = given[name];
    if (value === undefined || value === null || value === kept[name]) continue;
    if (typeof value !== 'object' || value === kept.user || value === kept.context)
      run.warn(
        'replaced_object',
        `${part.name} called back with something else than ${name}: it is passed over.`,
        part,
      );
    else {
      for (const [member, taken] of Object.entries(value)) {
        // JSON.parse makes a member of this name, and setting it would change the prototype.
        if (member !== '__proto__') Reflect.set(Object(kept[name]), member, taken);
      }
      run.warn('replaced_object', `${part.name} called back with a new ${name}: its members are taken over.`, part);
    }
  }
}
