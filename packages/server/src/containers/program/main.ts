import type { RunMessage, ToContainer } from '../protocol.ts';
import { captureConsole } from './capture-console.ts';
import { catchUncaught } from './catch-uncaught.ts';
import { compiled, keepProgram } from './compile.ts';
import { createRun, type Run, withRun } from './current-run.ts';
import { installGlobals } from './globals.ts';
import { guardTimers } from './guard-timers.ts';
import { neutralizeRuntime } from './neutral-runtime.ts';
import { routeConnections } from './route-connections.ts';
import { runAction } from './run-action.ts';
import { runDatabase } from './run-database.ts';
import { runHook } from './run-hook.ts';
import { runRules } from './run-rules.ts';
import { describeThrown, setOpener } from './thrown.ts';
import { receive, setTargets } from './tunnel.ts';
import { bytesOf, parseJson, readLines, send, sendText, stringify } from './wire.ts';

// What Deno runs inside a container: it reads jobs, runs tenant code in this realm, and answers. It trusts the server
// and defends nothing against tenant code but the order of its own lines: the walls are Deno's and the server's.

const KINDS = { rules: runRules, hook: runHook, database: runDatabase, action: runAction };
/** Mirrors the server's, which measures bytes. */
const LONGEST_RESULT = 1024 * 1024;

captureConsole();
catchUncaught();
guardTimers();
routeConnections();
neutralizeRuntime();
send({ type: 'ready' });
await readLines((line) => take(parseJson(line)));

function take(message: ToContainer): void {
  if (message.type === 'run') void execute(message);
  else if (message.type === 'program') keepProgram(message);
  else if (message.type === 'ping') send({ type: 'pong', beat: message.beat });
  else if (message.type === 'bind') bind(message);
  else receive(message);
}

function bind({ targets, opener }: Extract<ToContainer, { type: 'bind' }>): void {
  setTargets(targets);
  setOpener(opener);
}

async function execute(message: RunMessage): Promise<void> {
  const program = compiled(message.hash);
  const run = createRun(message, program.modules);
  // Actions have containers of their own, and none of these.
  if (message.kind !== 'action') installGlobals();
  try {
    // An async function: a throw at compile time is a rejection like any other.
    const result = await withRun(run, async () => KINDS[message.kind](program, run));
    answer(run, result);
  } catch (cause) {
    finish(run, () =>
      send({ type: 'failed', id: run.id, ...(run.part && { part: run.part }), error: describeThrown(cause) }),
    );
  }
}

function answer(run: Run, result: unknown): void {
  const text = stringify(result) ?? 'null';
  finish(run, () => {
    // A longer line would end the container, and with it the logins of others.
    if (bytesOf(text) > LONGEST_RESULT) send({ type: 'oversized', id: run.id });
    else sendText(`{"type":"result","id":"${run.id}","result":${text}}`);
  });
}

/** What was not answered yet is, once: an uncaught error may have come first. */
function finish(run: Run, tell: () => void): void {
  if (run.isOver) return;
  tell();
  run.isOver = true;
}
