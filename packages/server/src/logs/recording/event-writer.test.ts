import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/test-database.ts';
import { createDatabase, createPool } from '../../db/database.ts';
import type { AuditEvent } from '../event.ts';
import { createEventStore } from './event-store.ts';
import { createEventWriter } from './event-writer.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('truncate log_events'));

const failed = (userName: string): AuditEvent => ({
  type: 'wrongPassword',
  userName,
  details: { password: 'hunter22' },
});

async function stored(): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select body->>'user_name' as name from log_events order by xid, seq`,
  );
  return rows.map(({ name }) => name);
}

describe('recordAlone', () => {
  it('resolves when the event is committed', async () => {
    const writer = createEventWriter({ pool: database.pool });
    await writer.recordAlone('dev', failed('ada'));
    expect(await stored()).toEqual(['ada']);
    await writer.stop();
  });

  it('commits many events together, each once, in the order in which they came', async () => {
    const writer = createEventWriter({ pool: database.pool });
    const names = Array.from({ length: 1_200 }, (_, index) => `user ${index}`);
    await Promise.all(names.map((name) => writer.recordAlone('dev', failed(name))));
    expect(await stored()).toEqual(names);
    const { rows } = await database.pool.query<{ commits: number }>(
      'select count(distinct xid)::integer as commits from log_events',
    );
    expect(rows[0]?.commits).toBeLessThan(20);
    await writer.stop();
  });

  it('has stored every event that it acknowledged, when connections are killed all the while', async () => {
    const pool = createPool(database.poolOptions);
    const admin = new pg.Client(database.poolOptions);
    await admin.connect();
    const writer = createEventWriter({ pool });
    const acknowledged: string[] = [];
    let refused = 0;
    let done = false;
    const killing = (async () => {
      while (!done) {
        await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and query like '%log_events%' and pid <> pg_backend_pid()`,
        );
      }
    })();
    const send = async (client: number) => {
      for (let round = 0; round < 40; round++) {
        const name = `${client}/${round}`;
        await writer.recordAlone('dev', failed(name)).then(
          () => acknowledged.push(name),
          (error: unknown) => {
            refused++;
            expect(error).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
          },
        );
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, client) => send(client)));
    done = true;
    await killing;
    await writer.stop();
    await admin.end();
    await pool.end();
    const there = new Set(await stored());
    expect(acknowledged.filter((name) => !there.has(name))).toEqual([]);
    expect(acknowledged.length + refused).toBe(800);
  });

  it('refuses with a 503 when the database is away, each event anew', async () => {
    const gone = createPool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 500 });
    const writer = createEventWriter({ pool: gone });
    await expect(writer.recordAlone('dev', failed('ada'))).rejects.toMatchObject({ status: 503 });
    await expect(writer.recordAlone('dev', failed('ada'))).rejects.toMatchObject({ status: 503 });
    await writer.stop();
    await gone.end();
  });

  it('refuses what does not fit its queue', async () => {
    const writer = createEventWriter({ pool: database.pool, maxQueued: 2 });
    const events = [1, 2, 3].map((number) => writer.recordAlone('dev', failed(`user ${number}`)));
    const outcomes = (await Promise.allSettled(events)).map(({ status }) => status);
    expect(outcomes).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await writer.stop();
  });

  it('commits what it took before it stops, and takes nothing afterwards', async () => {
    const writer = createEventWriter({ pool: database.pool });
    const events = Array.from({ length: 700 }, (_, index) => writer.recordAlone('dev', failed(`user ${index}`)));
    await writer.stop();
    expect(await stored()).toHaveLength(700);
    await Promise.all(events);
    await expect(writer.recordAlone('dev', failed('late'))).rejects.toMatchObject({ status: 503 });
  });
});

describe('record', () => {
  it('is undone with the change that it reports', async () => {
    const db = createDatabase(database.pool);
    await expect(
      db.transaction().execute(async (transaction) => {
        await createEventStore(transaction).record('dev', failed('ada'));
        throw new Error('The change failed.');
      }),
    ).rejects.toThrow('The change failed.');
    expect(await stored()).toEqual([]);
  });

  it('stores hostile texts, masked and bounded', async () => {
    const { record } = createEventStore(createDatabase(database.pool));
    const hostile = `\0\ud800'"; drop table log_events; --${'x'.repeat(100_000)}`;
    await record('dev', {
      type: 'loginFailed',
      description: `${hostile} password=hunter22`,
      userId: hostile,
      clientId: '\u{1F600}'.repeat(5_000),
      connection: hostile,
      ip: hostile,
      userAgent: hostile,
      hostname: hostile,
      details: { [hostile]: hostile, password: 'hunter22', list: Array.from({ length: 1_000 }, () => hostile) },
    });
    const { rows } = await database.pool.query<{ row: string }>('select log_events::text as row from log_events');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain('hunter22');
    expect(rows[0]?.row.length).toBeLessThan(60_000);
  });
});
