import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A program of the bench that runs as a process of its own: its work must not be counted as anybody else's. */
export interface Program<Task, Result> {
  readonly pid: number;
  run(task: Task): Promise<Result>;
  stop(): Promise<void>;
}

/** Starts `programs/<name>.ts`. It answers each message with one message. */
export function startProgram<Task extends object, Result>(name: string): Program<Task, Result> {
  const child = fork(new URL(`programs/${name}.ts`, import.meta.url), {
    execArgv: [],
    serialization: 'advanced',
    // Standard output is the bench's own: a table, or JSON.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`The program ${name} could not be started.`);
  return {
    pid,
    run: (task) => ask<Result>(child, name, task),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}

function ask<Result>(child: ChildProcess, name: string, task: object): Promise<Result> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`The program ${name} ended while it worked.`));
    child.once('exit', ended);
    child.once('message', (result) => {
      child.off('exit', ended);
      resolve(result as Result);
    });
    child.send(task);
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
