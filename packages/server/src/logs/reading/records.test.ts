import { setTimeout as sleep } from 'node:timers/promises';
import { ManagementClient } from 'auth0';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type LogRecord, passwordGrant } from '../../../test/protocol.ts';
import { startWorld, type World } from '../../../test/world.ts';

const AGENT =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_3) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/48.0.2564.116 Safari/537.36';
const WRONG = 'Wr0ng-and-found-nowhere';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** Of one refused login by password grant: the event of its reason. */
async function refusal(username: string): Promise<LogRecord> {
  const { client_id, client_secret } = world.password_client;
  const response = await world.request({
    path: '/oauth/token',
    form: { grant_type: 'password', client_id, client_secret, username, password: WRONG, scope: 'openid', device: '' },
    headers: { 'user-agent': AGENT },
  });
  expect(response.statusCode).toBe(403);
  const [record] = (await world.api('read:logs').get('/logs?q=type:(fp OR fu)&per_page=1')).json();
  return record;
}

describe('a page by checkpoint', () => {
  const ignored =
    'per_page=1000&page=-1&include_totals=true&sort=nothing&fields=type&include_fields=maybe&q=password:x&search=type:(&colour=red&q=again';

  it('ignores all but from and take, whatever the others say', async () => {
    await refusal('nobody@example.com');
    const logs = world.api('read:logs');
    // An event is there once nothing can come before it any more: others' transactions delay that.
    const firstOf = (query: string) =>
      vi.waitFor(
        async () => {
          const page = await logs.get(`/logs?${query}`);
          expect(page.json()).toMatchObject([{ type: expect.any(String), log_id: expect.any(String) }]);
          return page;
        },
        { timeout: 60_000 },
      );
    const [{ log_id }] = (await firstOf('take=1')).json();
    for (const query of ['take=1', `from=${log_id}&take=1`]) {
      const plain = await firstOf(query);
      for (const crowded of [`${query}&${ignored}`, `${ignored}&${query}`]) {
        const page = await logs.get(`/logs?${crowded}`);
        expect(page.statusCode).toBe(200);
        expect(page.json()).toEqual(plain.json());
        expect(page.headers.link).toBe(plain.headers.link);
      }
    }
  });

  it.each([
    ['take=101', "'Value 101 is greater than maximum 100' on property take"],
    ['take=1&take=2', "'Expected type integer but found type array' on property take"],
    ['take=1&q=%00', 'Strings may not contain the character U+0000'],
  ])('refuses ?%s', async (query, problem) => {
    const response = await world.api('read:logs').get(`/logs?${query}`);
    expect(response.json()).toMatchObject({ statusCode: 400, message: expect.stringContaining(problem) });
  });

  it('is no way around the checks of a search', async () => {
    const response = await world.api('read:logs').get(`/logs?per_page=1000`);
    expect(response.json()).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("'Value 1000 is greater than maximum 100' on property per_page"),
    });
  });
});

describe('the record of a wrong password at the token endpoint', () => {
  it.each([
    ['fp', 'a known user', () => world.user.email],
    ['fu', 'nobody', () => 'nobody@example.com'],
  ])('is %s for %s, with the members that receivers of such events have always had', async (type, _who, username) => {
    const { client_id } = world.password_client;
    const record = await refusal(username());
    const documented = [
      'date',
      'type',
      'description',
      'connection',
      'client_id',
      'client_name',
      'ip',
      'user_agent',
      'details',
      'user_id',
    ];
    const ours = ['connection_id', 'client_ip', 'hostname', 'log_id'];
    expect(Object.keys(record).toSorted()).toEqual(
      [...documented, 'user_name', 'strategy', 'strategy_type', '_id', 'isMobile', ...ours].toSorted(),
    );
    expect(record).toMatchObject({
      type,
      description: 'Wrong email or password.',
      connection: world.connection,
      client_id,
      user_agent: 'Chrome 48.0.2564 / Mac OS X 10.11.3',
      user_name: username(),
      strategy: 'auth0',
      strategy_type: 'database',
      _id: record.log_id,
      isMobile: false,
      details: {
        error: {
          message: 'Wrong email or password.',
          oauthError: 'Wrong email or password.',
          type: 'invalid_user_password',
        },
        body: {
          client_id,
          username: username(),
          password: '*****',
          connection: world.connection,
          grant_type: 'password',
          scope: 'openid',
        },
        qs: {},
        connection: world.connection,
      },
    });
  });

  it('is all that is left of it: the password is nowhere in the database', async () => {
    await refusal(world.user.email);
    await world
      .visitor()
      .authorize()
      .then(({ response }) => world.visitor().submit(response, { username: world.user.email, password: WRONG }));
    await world.request({
      path: `/oauth/token?password=${WRONG}`,
      form: { grant_type: 'password', note: `password=${WRONG}` },
    });
    expect(await tablesWith(WRONG)).toEqual([]);
    // The search would find it.
    expect(await tablesWith(world.user.email)).toContain('users');
  });
});

/** Every table of the database, as a dump of it would show its rows. */
async function tablesWith(text: string): Promise<string[]> {
  const { pool } = world.database;
  const { rows } = await pool.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  );
  const found: string[] = [];
  for (const { name } of rows) {
    const { rowCount } = await pool.query(`select 1 from "${name}" t where strpos(t::text, $1) > 0 limit 1`, [text]);
    if (rowCount) found.push(name);
  }
  return found;
}

describe('auth0 7', () => {
  it('pages the whole log by checkpoint while others write, without a gap or a repeat', async () => {
    const auth0 = sdk(await world.managementToken());
    let isWriting = true;
    const writing = Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let count = 0; count < 25; count++) await passwordGrant(world, { client_secret: 'wrong' });
      }),
    ).finally(() => {
      isWriting = false;
    });
    const seen: string[] = [];
    for (let empty = 0; isWriting || seen.length < (await eventsOfDev()); ) {
      const records = await page(auth0, seen.at(-1), 7);
      seen.push(...records.map(({ log_id }) => log_id));
      // What is committed appears once nothing in the cluster can come before it: other tests' transactions delay it.
      if (records.length === 0) await sleep(50);
      if (records.length === 0 && !isWriting && ++empty > 400) break;
    }
    await writing;
    expect(seen.length).toBeGreaterThan(100);
    expect(seen).toEqual([...new Set(seen)].toSorted());
    expect(seen).toHaveLength(await eventsOfDev());
  });

  it('searches', async () => {
    const auth0 = sdk(await world.managementToken());
    await refusal('searched@example.com');
    const { data } = await auth0.logs.list({
      search: 'type:fu AND user_name:"searched@example.com"',
      sort: 'date:-1',
      per_page: 1,
    });
    expect(data).toMatchObject([{ type: 'fu', user_name: 'searched@example.com' }]);
    expect(await auth0.logs.get(String(data[0]?.log_id))).toEqual(data[0]);
  });
});

async function eventsOfDev(): Promise<number> {
  const { rows } = await world.database.pool.query<{ count: number }>(
    "select count(*)::integer as count from log_events where tenant_id = 'dev'",
  );
  return rows[0]?.count ?? 0;
}

/** The SDK as it is, without a socket. */
function sdk(token: string): ManagementClient {
  return new ManagementClient({
    domain: 'localhost:3443',
    token,
    fetch: async (input, init) => {
      const url = new URL(String(input));
      const { statusCode, body, headers } = await world.request({
        path: url.pathname + url.search,
        headers: Object.fromEntries(new Headers(init?.headers)),
      });
      return new Response(body, { status: statusCode, headers: { 'content-type': String(headers['content-type']) } });
    },
  });
}

/** The SDK has no names for `from` and `take`, and sends its own parameters besides: those do nothing. */
async function page(auth0: ManagementClient, from: string | undefined, take: number): Promise<readonly LogRecord[]> {
  const { response } = await auth0.logs.list({}, { queryParams: { take, ...(from !== undefined && { from }) } });
  if (!Array.isArray(response)) throw new Error('A page of a checkpoint is an array.');
  return response;
}
