import type { Containers, Failure, Outcome } from '../containers/job.ts';
import { createMask } from '../containers/mask-values.ts';
import { keptLines } from '../executions/kept-console.ts';
import { digest } from '../kit/digest.ts';
import { type Json, objectOf } from '../kit/json-values.ts';

export interface ScriptTrial {
  /** `login`, `get_user` … */
  readonly name: string;
  readonly code: string;
  /** Those before the callback. */
  readonly arguments: readonly unknown[];
  readonly configuration: Json;
}

/** What a script did, for its author. */
export interface TriedScript extends Pick<Outcome, 'console' | 'warnings' | 'tookMs'> {
  readonly failure: Failure | undefined;
  /** What it called its callback with, after the error. */
  readonly result: unknown;
}

/** Runs one script of a custom database in a container, without a server: the database is the real one. */
export async function tryScript(
  containers: Pick<Containers, 'execute'>,
  { name, code, arguments: given, configuration }: ScriptTrial,
): Promise<TriedScript> {
  const job = {
    tenantId: 'dev',
    pool: 'scripts',
    kind: 'database',
    program: { hash: digest(`database ${name} ${code}`), parts: [{ id: name, name, code }] },
    input: { arguments: given, configuration },
  } as const;
  const outcome = await containers.execute(job);
  const { results } = outcome.ok ? objectOf(outcome.result) : {};
  return {
    failure: outcome.ok ? undefined : outcome.failure,
    result: Array.isArray(results) ? results[0] : undefined,
    console: keptLines(outcome.console, createMask(job)),
    warnings: outcome.warnings,
    tookMs: outcome.tookMs,
  };
}
