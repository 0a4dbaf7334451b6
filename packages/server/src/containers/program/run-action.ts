import { actionApi, type Command, endsTrigger } from './action-api.ts';
import { tellLater } from './action-event.ts';
import type { CompiledPart, CompiledProgram } from './compile.ts';
import type { Run } from './current-run.ts';
import { describeThrown } from './thrown.ts';
import { parseJson, stringify } from './wire.ts';

interface ActionReport {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly error?: unknown;
}

type Members = Readonly<Record<string, unknown>>;
type Handler = (event: unknown, api: object) => unknown;

/**
 * The actions of a trigger, one after the other. In: `trigger`, `handler` (the end of the name of the function), `event`, `actions`
 * (of each its secrets), and `from` where a trigger that was left goes on with the action of that index. Out: what they
 * asked for, in order; the server decides what becomes of it.
 */
export async function runAction(program: CompiledProgram, run: Run): Promise<unknown> {
  const { from } = run.input;
  const first = typeof from === 'number' ? from : 0;
  const event = { ...Object(copyOf(run.input.event)) } as Members;
  const commands: Command[] = [];
  const reports: ActionReport[] = [];
  for (const [index, part] of program.parts.entries()) {
    if (index < first) continue;
    run.enter(part);
    const own: Command[] = [];
    const startedAt = new Date().toISOString();
    const report = (error?: unknown) =>
      reports.push({ startedAt, endedAt: new Date().toISOString(), ...(error !== undefined && { error }) });
    try {
      const work = handlerOf(part, `on${from === index ? 'Continue' : 'Execute'}${run.input.handler}`);
      await callAction(work, run, part, { ...event, secrets: secretsOf(run, index) }, index, own);
    } catch (cause) {
      report(describeThrown(cause));
      return { commands, reports };
    }
    report();
    commands.push(...own);
    if (own.some(({ name }) => endsTrigger(name))) break;
    tellLater(event, own);
  }
  return { commands, reports };
}

function handlerOf(part: CompiledPart, name: string): Handler {
  const exported = part.exports();
  const handler: unknown =
    (typeof exported === 'object' || typeof exported === 'function') && exported !== null
      ? Reflect.get(exported, name)
      : undefined;
  if (typeof handler !== 'function') throw new TypeError(`${part.name} does not export the function ${name}.`);
  return handler as Handler;
}

/** Each action gets a copy: what it does to its event reaches nobody else. */
async function callAction(
  work: Handler,
  run: Run,
  part: CompiledPart,
  event: Members,
  index: number,
  commands: Command[],
): Promise<void> {
  const own = copyOf(event);
  let isOver = false;
  const record = (name: string, given: readonly unknown[]) => {
    if (isOver) {
      const { id, name: action } = part;
      return run.warn('called_late', `api.${name} was called after ${action} had ended: it has no effect.`, {
        id,
        name: action,
      });
    }
    commands.push({ action: index, name, arguments: copyOf(given) });
  };
  try {
    await work(own, actionApi(run, copyOf(event), record));
  } finally {
    isOver = true;
  }
}

function secretsOf(run: Run, index: number): unknown {
  const { actions } = run.input;
  const action: unknown = Array.isArray(actions) ? actions[index] : undefined;
  return (typeof action === 'object' && action !== null && Reflect.get(action, 'secrets')) || {};
}

function copyOf<T>(value: T): T {
  return parseJson(stringify(value ?? null));
}
