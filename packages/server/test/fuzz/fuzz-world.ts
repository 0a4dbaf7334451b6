import type { Response } from 'light-my-request';
import { expect } from 'vitest';
import { type Home, inhabit } from '../management/inhabited-tenant.ts';
import { startWorld, type World, type WorldRequest } from '../world.ts';

/** Grow with refusals: the log, what limits or remembers attempts, and secrets that are made at their first use. */
const GROW_BY_ATTEMPTS = new Set([
  'log_events',
  'log_epoch',
  'attempt_windows',
  'rate_buckets',
  'dpop_proofs',
  'client_assertions',
  'tenant_secrets',
]);

export interface FuzzWorld {
  readonly world: World;
  readonly home: Home;
  /** Sends a request, and says which tables it changed. Nothing else may ask the world meanwhile. */
  send(request: WorldRequest): Promise<{ readonly response: Response; readonly changed: readonly string[] }>;
  stop(): Promise<void>;
}

/** A world whose every committed row change is noted, so that a refusal which changed something is found at once. */
export async function startFuzzWorld(): Promise<FuzzWorld> {
  const world = await startWorld();
  const home = await inhabit(world, world.main);
  const { pool } = world.database;
  await pool.query(`create table fuzz_changes (name text not null, expired_at timestamptz);
    create function fuzz_note() returns trigger language plpgsql as
      $$ begin
        insert into fuzz_changes values (tg_table_name || ' ' || lower(tg_op), case tg_op when 'DELETE' then
          least((to_jsonb(old) ->> 'expires_at')::timestamptz, (to_jsonb(old) ->> 'idle_expires_at')::timestamptz) end);
        return null;
      end $$;`);
  const { rows } = await pool.query<{ name: string }>(`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and not relispartition and relname not in ('fuzz_changes', 'schema_migrations')`);
  for (const { name } of rows.filter((row) => !GROW_BY_ATTEMPTS.has(row.name)))
    await pool.query(`create trigger fuzz_note after insert or update or delete on ${name}
      for each row execute function fuzz_note()`);

  return {
    world,
    home,
    async send(request) {
      await pool.query('delete from fuzz_changes');
      // So that limits of attempts are reached now and then, and do not end the whole run.
      world.advance(100);
      const response = await world.request(request);
      // What was over for an hour was swept up by the housekeeper, who comes every minute.
      const changes = await pool.query<{ name: string }>(
        'with noted as (delete from fuzz_changes returning *) select name from noted where (expired_at < $1) is not true',
        [new Date(world.now().getTime() - 3_600_000)],
      );
      checkAnswer(response);
      return { response, changed: changes.rows.map(({ name }) => name) };
    },
    async stop() {
      await world.stop();
    },
  };

  /** What no answer may be or have, whatever was asked. */
  function checkAnswer({ statusCode, body, headers }: Response): void {
    const isOurs = statusCode >= 500 && !body.includes(NO_DIRECTORY);
    expect([statusCode, isOurs, world.log]).toEqual([statusCode, false, []]);
    expect(body).not.toMatch(INSIDES);
    if (String(headers['content-type']).includes('html')) expect(body).not.toMatch(/<script>fuzz|<img src=x/i);
    expect(headers['set-cookie'] ?? '').not.toContain('fuzz=1');
    expect(Object.values(headers).join()).not.toMatch(/[\r\n]/);
  }
}

/** Auth0's answer to the password grant of a tenant whose `default_directory` is none: a fault of its settings. */
const NO_DIRECTORY = 'Authorization server not configured with default connection.';

/** Stacks, paths of ours and sentences of PostgreSQL. */
const INSIDES =
  /\n\s+at .+:\d+|node_modules|\.ts:\d+|syntax error at or near|violates .{1,80} constraint|invalid input syntax|invalid byte sequence|relation "|unsupported Unicode escape/;
