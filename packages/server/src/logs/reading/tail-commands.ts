import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlVerbs } from '../../control/control-server.ts';
import type { ControlPiece } from '../../control/control-stream.ts';
import { defineErrors } from '../../kit/errors.ts';
import { isObject, numberOf } from '../../kit/json-values.ts';
import type { LuceneQuery } from '../../kit/lucene/query.ts';
import { tenantErrors } from '../../tenants/tenant.ts';
import type { TenantStore } from '../../tenants/tenant-store.ts';
import { encodeLogId } from '../log-id.ts';
import { logTypes } from '../log-types.ts';
import { exactly, parseSearch } from '../search/search-query.ts';
import { type LogReader, parsePosition } from './log-reader.ts';
import { type Tail, tailLogs } from './tail-logs.ts';

interface Needs {
  readonly tenants: Pick<TenantStore, 'directory'>;
  readonly logs: LogReader;
  readonly consoles: Parameters<typeof tailLogs>[0]['consoles'];
}

const tailErrors = defineErrors({
  unknownType: { status: 400, code: 'unknown_type', message: "'{type}' is no type of log events." },
});

const EVERY_MILLISECONDS = 500;
const MOST_LINES = 1_000;
const CODES: ReadonlySet<string> = new Set(Object.values(logTypes).map(({ code }) => code));

/** `gatewright logs tail`, as the running server carries it out: a JSON line each record. */
export function tailCommands({ tenants, logs, consoles }: Needs): ControlVerbs {
  return {
    'logs-tail': async (input) => {
      const { tenantIds, defaultTenantId } = await tenants.directory();
      const tenantId = input.tenant === undefined ? defaultTenantId : String(input.tenant);
      if (tenantId === undefined || !tenantIds.has(tenantId))
        throw tenantErrors.unknownTenant({ name: tenantId ?? 'default' });
      const types = Array.isArray(input.types) ? input.types.map(String) : [];
      const unknown = types.find((type) => !CODES.has(type));
      if (unknown !== undefined) throw tailErrors.unknownType({ type: unknown.slice(0, 100) });
      const lines = Number(input.lines);
      return streamed({
        tenantId,
        query: queryOf(types, input),
        withConsole: input.console === true,
        lines: Number.isInteger(lines) ? Math.min(MOST_LINES, Math.max(0, lines)) : 10,
        follow: input.follow !== false,
        resume: resumeOf(input.resume),
      });
    },
  };

  async function* streamed(tail: Tail): AsyncGenerator<ControlPiece> {
    const wait = () => sleep(EVERY_MILLISECONDS);
    for await (const { records, position } of tailLogs({ logs, consoles, wait }, tail)) {
      for (const record of records) yield { data: Buffer.from(`${JSON.stringify(record)}\n`) };
      // A caller that went away is noticed where something is sent to it.
      yield { progress: { position: encodeLogId(position) } };
    }
  }
}

/** All that was asked for must hold; a user and a client are named by id or by name. */
function queryOf(types: readonly string[], { user, client, query }: Readonly<Record<string, unknown>>): LuceneQuery {
  const parts: LuceneQuery[] = [];
  if (types.length > 0) parts.push({ kind: 'or', parts: types.map((type) => exactly('type', type)) });
  if (user !== undefined) parts.push(named(['user_id', 'user_name'], String(user)));
  if (client !== undefined) parts.push(named(['client_id', 'client_name'], String(client)));
  return parseSearch(query === undefined ? undefined : String(query), undefined, ...parts);
}

function named(fields: readonly string[], value: string): LuceneQuery {
  return { kind: 'or', parts: fields.map((field) => exactly(field, value)) };
}

/** Longer than what code printed is kept for. */
const MOST_SECONDS_AWAY = 86_400;

function resumeOf(given: unknown): Tail['resume'] {
  if (!isObject(given)) return undefined;
  const seconds = numberOf(given.seconds_away) ?? 0;
  return {
    position: parsePosition(String(given.position)),
    secondsAway: Math.min(MOST_SECONDS_AWAY, Math.max(0, seconds)),
  };
}
