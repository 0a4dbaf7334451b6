import type { CompiledPart } from './compile.ts';
import type { Run } from './current-run.ts';

/** Calls a function expression of a tenant and waits for its callback: the first call counts, a throw before it too. */
export function callWithCallback(
  run: Run,
  part: CompiledPart,
  input: readonly unknown[],
  work: unknown = part.expression(run),
): Promise<readonly unknown[]> {
  if (typeof work !== 'function') throw new TypeError(`${part.name} is not a function.`);
  return new Promise((resolve, reject) => {
    let isCalled = false;
    const callback = (...answers: unknown[]) => {
      if (isCalled)
        return run.warn('callback_twice', `${part.name} called its callback again: only the first call counts.`, part);
      isCalled = true;
      const [status, ...results] = answers;
      if (status === undefined || status === null) resolve(results);
      else reject(status);
    };
    const threw = (cause: unknown) => {
      if (!isCalled) return callback(cause ?? new Error('It threw nothing.'));
      run.warn('threw_after_callback', `${part.name} threw after its callback: ${String(cause)}`, part);
    };
    try {
      const returned: unknown = work(...input, callback);
      // Of an async function: what it returns does not matter, that it failed does.
      if (typeof returned === 'object' && returned !== null && 'then' in returned)
        Promise.resolve(returned).then(undefined, threw);
    } catch (cause) {
      threw(cause);
    }
  });
}
