import type { Connection } from '../connections/connection.ts';
import { hasScriptContext, type ScriptName, scriptOf } from '../connections/custom-database.ts';
import type { ScriptConfiguration } from '../connections/script-configuration.ts';
import type { Containers, Program, Tunnel, Warning } from '../containers/job.ts';
import { digest } from '../kit/digest.ts';
import { isObject } from '../kit/json-values.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { ScriptFailure } from './script-failure.ts';

/** What the script called its callback with, after the error; or why there is no such thing. */
export type ScriptAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly failure: ScriptFailure };

export type RunScript = (
  tenant: Tenant,
  connection: Connection,
  script: ScriptName,
  given: readonly unknown[],
) => Promise<ScriptAnswer>;

interface Parts {
  readonly containers: Pick<Containers, 'execute'>;
  readonly configurationOf: (tenantId: string, connectionId: string) => Promise<ScriptConfiguration>;
  /** The way to the tenant's own API. */
  readonly tunnelOf: (tenant: Tenant) => Tunnel;
  readonly recordAlone: RecordEvent;
}

/** Runs one script of a custom database. Never inside a transaction: it may take twenty seconds. */
export function createRunScript({ containers, configurationOf, tunnelOf, recordAlone }: Parts): RunScript {
  return async function runScript(tenant, connection, script, given) {
    const { tenantId } = tenant;
    const code = scriptOf(connection, script);
    if (code === undefined) return { ok: false, failure: { script, kind: 'missing' } };
    const outcome = await containers.execute({
      tenantId,
      pool: 'scripts',
      kind: 'database',
      program: programOf(connection, script, code),
      input: {
        // It names the organization that somebody logs in to; there are none yet. For `delete` it is always empty.
        arguments: hasScriptContext(connection) ? [...given, {}] : given,
        configuration: await configurationOf(tenantId, connection.id),
      },
      tunnel: tunnelOf(tenant),
    });
    for (const warning of outcome.warnings) await warn(tenantId, connection, script, warning);
    if (outcome.ok) return { ok: true, result: firstOf(outcome.result) };
    const { kind, error } = outcome.failure;
    return { ok: false, failure: { script, kind, ...(error && { error }) } };
  };

  function warn(tenantId: string, connection: Connection, script: ScriptName, { kind, text }: Warning): Promise<void> {
    return recordAlone(tenantId, {
      type: 'loginWarned',
      connection: connection.name,
      connectionId: connection.id,
      strategy: connection.strategy,
      strategyType: 'database',
      description: text,
      details: { warning: kind, script: { name: script } },
    });
  }
}

const programs = new WeakMap<Connection, Map<ScriptName, Program>>();

/** Hashed once for each time that the connection is read. */
function programOf(connection: Connection, script: ScriptName, code: string): Program {
  const ofConnection = programs.get(connection) ?? new Map<ScriptName, Program>();
  programs.set(connection, ofConnection);
  const known = ofConnection.get(script);
  if (known) return known;
  const name = `${connection.name}/${script}`;
  const program = { hash: digest(`database ${name} ${code}`), parts: [{ id: script, name, code }] };
  ofConnection.set(script, program);
  return program;
}

function firstOf(result: unknown): unknown {
  const results = isObject(result) ? result.results : undefined;
  return Array.isArray(results) ? results[0] : undefined;
}
