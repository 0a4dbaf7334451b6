import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, vi } from 'vitest';
import { startWorld } from './world.ts';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export type AlertWorld = Awaited<ReturnType<typeof startAlertWorld>>;

/** A world whose log is written and counted by hand, and a receiver of what its alerts tell. */
export async function startAlertWorld() {
  const world = await startWorld();
  const acme = await world.createTenant('acme');
  const received: Received[] = [];
  let answer = { status: 200, words: '' };
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(answer.status).end(answer.words);
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;

  async function query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await world.database.pool.query(text, values)).rows;
  }

  /** All that is written is counted: the horizon is the cluster's, and other tests write there. */
  async function count(): Promise<void> {
    await vi.waitFor(
      async () => {
        await world.app.logWatch.rollups.catchUp();
        // Before the first count there is no state, or one without a position: then nothing is counted.
        const [row] = await query(`select count(*) as n from log_events e left join log_rollup_state s on true
          where ((e.epoch, e.xid, e.seq) <= (s.epoch, s.xid, s.seq)) is not true`);
        expect(Number(row?.n)).toBe(0);
      },
      { timeout: 60_000, interval: 20 },
    );
  }

  async function look(): Promise<void> {
    await count();
    await world.app.logWatch.alerts.look();
    await world.app.logWatch.alerts.sendDue();
  }

  return {
    world,
    /** A second tenant, without alerts of its own. */
    acme,
    /** What the receiver got since the test began. */
    received,
    query,
    count,
    look,
    answerWith(status: number, words = ''): void {
      answer = { status, words };
    },
    /** Before each test: what an earlier one left under way is over two hours later. */
    async begin(): Promise<void> {
      received.length = 0;
      answer = { status: 200, words: '' };
      world.advance(2 * HOUR);
      for (const table of ['log_alerts', 'log_alert_notices', 'log_alert_settings', 'log_rollups'])
        await query(`delete from ${table}`);
    },
    /** Settings of the tenant `dev` that lead to the receiver; the secret. */
    async receiveAt(format: 'json' | 'slack', mailTo: readonly string[] = []): Promise<string> {
      const webhook = { url: `http://127.0.0.1:${port}/alerts`, format };
      const response = await world.api().put('/gatewright/alert-settings', { webhook, mail_to: mailTo });
      return response.json().signing_secret;
    },
    /** So many events, spread over a time. The others are SQL, over `i`. */
    async events(
      n: number,
      begin: number,
      length: number,
      type: string,
      {
        tenant = 'dev',
        client = `'app-' || 1 + i % 2`,
        ip = `'192.0.' || i % 100 || '.' || i % 250`,
        user = `'user-' || i % 500`,
        rule = 'null',
      } = {},
    ): Promise<void> {
      await query(
        `insert into log_events (tenant_id, type, client_id, ip, body, at)
         select '${tenant}', ${type}, ${client}, ${ip},
           jsonb_build_object('user_name', ${user}, 'details', jsonb_build_object('rule', jsonb_build_object('name', ${rule}))),
           $1::timestamptz + (i - 1) * ($2::float8 / ${Math.max(1, n)}) * interval '1 millisecond'
         from generate_series(1, ${n}) i`,
        [new Date(begin), length],
      );
    },
    async steps(minutes: number): Promise<void> {
      for (let minute = 0; minute < minutes; minute++) {
        world.advance(MINUTE);
        await look();
      }
    },
    // biome-ignore lint/suspicious/noExplicitAny: rows of the API, looked at member by member
    async list(): Promise<any[]> {
      return (await world.api('read:logs').get('/gatewright/alerts')).json();
    },
    async stop(): Promise<void> {
      await world.stop();
      receiver.closeAllConnections();
      receiver.close();
    },
  };
}
