import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld } from '../../test/log-streams/stream-world.ts';
import { MOST_STREAMS } from './log-stream.ts';

const SINK = { httpEndpoint: 'http://127.0.0.1:9/', httpAuthorization: 'Bearer secret-of-a-sink' };
const EVENTBRIDGE = { awsAccountId: '123456789012', awsRegion: 'eu-central-1' };

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

const post = (body: unknown) => streams.api().post('/log-streams', body);
const patch = (id: string, body: unknown) => streams.api().patch(`/log-streams/${id}`, body);

describe('POST /log-streams', () => {
  it('answers 200 with the stream, active, and GET says the same', async () => {
    const filters = [{ type: 'category', name: 'auth.login.fail' }];
    const pii_config = { log_fields: ['email'], method: 'hash', algorithm: 'xxhash' };
    const response = await post({ name: 'Audit', type: 'http', sink: SINK, filters, pii_config, isPriority: true });
    expect(response.statusCode).toBe(200);
    const stream = response.json();
    expect(stream).toEqual({
      id: expect.stringMatching(/^lst_[A-Za-z0-9]{16}$/),
      name: 'Audit',
      type: 'http',
      status: 'active',
      sink: SINK,
      filters,
      isPriority: true,
      pii_config,
    });
    expect((await streams.api().get(`/log-streams/${stream.id}`)).json()).toEqual(stream);
    expect((await streams.api().get('/log-streams')).json()).toEqual([stream]);
  });

  it('has neither filters nor priority unless it is told', async () => {
    expect((await post({ type: 'http', sink: SINK })).json()).toMatchObject({ filters: [], isPriority: false });
  });

  it.each([
    ['a sink of another type', { type: 'http', sink: { datadogApiKey: 'x', datadogRegion: 'us' } }],
    ['a sink with less than it needs', { type: 'splunk', sink: { splunkDomain: 'splunk.example' } }],
    ['an address that is none', { type: 'http', sink: { httpEndpoint: 'http://' } }],
    ['an address with a password', { type: 'http', sink: { httpEndpoint: 'https://a:b@example.com/' } }],
    ['a header that breaks the request', { type: 'http', sink: { ...SINK, httpAuthorization: 'a\r\nb: c' } }],
    ['an unknown type', { type: 'kafka', sink: {} }],
    ['an unknown group', { type: 'http', sink: SINK, filters: [{ type: 'category', name: 'auth' }] }],
    ['a time that is none', { type: 'http', sink: SINK, startFrom: 'yesterday' }],
    ['a status, which only PATCH takes', { type: 'http', sink: SINK, status: 'paused' }],
    ['a folder of its own choice', { type: 'file', sink: { filePath: '/etc' } }],
  ])('refuses %s', async (_what, body) => {
    expect((await post(body)).json()).toMatchObject({ statusCode: 400, errorCode: 'invalid_body' });
    expect((await streams.api().get('/log-streams')).json()).toEqual([]);
  });

  it('takes http for development tenants alone', async () => {
    const live = await streams.world.createTenant('live', { environment: 'production' });
    const refused = await streams.world.apiAt(live).post('/log-streams', { type: 'http', sink: SINK });
    expect(refused.json()).toMatchObject({ statusCode: 400, errorCode: 'invalid_body' });
    const sink = { httpEndpoint: 'https://example.com/logs' };
    const taken = await streams.world.apiAt(live).post('/log-streams', { type: 'http', sink });
    expect(taken.json()).toMatchObject({ status: 'active', sink });
    await streams.world.apiAt(live).delete(`/log-streams/${taken.json().id}`);
  });

  it('stores what nobody delivers here as paused, and says so to who activates it', async () => {
    const { id, status } = (await post({ name: 'Bus', type: 'eventbridge', sink: EVENTBRIDGE })).json();
    expect(status).toBe('paused');
    expect((await patch(id, { status: 'active' })).json()).toMatchObject({
      statusCode: 400,
      errorCode: 'operation_not_supported',
      message: expect.stringContaining("'eventbridge'"),
    });
  });

  it('refuses more than a tenant may have, however many come at once', async () => {
    const paused = { type: 'eventbridge', sink: EVENTBRIDGE };
    await streams.world.database.pool.query(
      `insert into log_streams (tenant_id, id, name, type, status)
       select 'dev', 'lst_' || n, 'Many', 'http', 'paused' from generate_series(1, $1) n`,
      [MOST_STREAMS - 1],
    );
    const statuses = await Promise.all([post(paused), post(paused), post(paused)]);
    expect(statuses.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 403, 403]);
  });
});

describe('PATCH /log-streams/{id}', () => {
  it('changes what it names; members of the sink that it leaves out stay', async () => {
    const { id } = (await post({ name: 'Audit', type: 'http', sink: SINK })).json();
    const httpEndpoint = 'http://127.0.0.1:9/other';
    expect((await patch(id, { name: 'Other', sink: { httpEndpoint } })).json()).toMatchObject({
      name: 'Other',
      status: 'active',
      sink: { httpEndpoint, httpAuthorization: SINK.httpAuthorization },
    });
  });

  const PORT_10 = 'http://127.0.0.1:10/';
  const otlp = { otlpEndpoint: 'http://127.0.0.1:9/v1/logs', otlpHeaders: [{ header: 'api-key', value: 'x' }] };
  const splunk = { splunkDomain: 'a.example', splunkPort: '8088', splunkToken: 'x', splunkSecure: true };
  const datadog = { datadogApiKey: 'x', datadogRegion: 'us' };
  const headers = [{ header: 'x-key', value: 'x' }];
  it.each([
    ['http', SINK, { httpEndpoint: PORT_10 }, 'httpAuthorization'],
    [
      'http',
      { ...SINK, httpCustomHeaders: headers },
      { httpEndpoint: PORT_10, httpAuthorization: 'x' },
      'httpCustomHeaders',
    ],
    [
      'http',
      { ...SINK, httpEndpoint: 'https://a.example/' },
      { httpEndpoint: 'http://a.example/' },
      'httpAuthorization',
    ],
    ['otlp', otlp, { otlpEndpoint: 'http://127.0.0.1:10/v1/logs' }, 'otlpHeaders'],
    ['splunk', splunk, { splunkDomain: 'b.example' }, 'splunkToken'],
    ['splunk', splunk, { splunkPort: '8089' }, 'splunkToken'],
    ['splunk', splunk, { splunkSecure: false }, 'splunkToken'],
    ['datadog', datadog, { datadogRegion: 'eu' }, 'datadogApiKey'],
  ])(
    'sends no stored secret of a %s stream to an address of somebody else’s choice: %j, %j',
    async (type, sink, to, secret) => {
      const { id } = (await post({ type, sink })).json();
      expect((await patch(id, { sink: to })).json()).toMatchObject({
        statusCode: 400,
        errorCode: 'invalid_body',
        message: expect.stringContaining(`give ${secret} as well`),
      });
      expect((await streams.api().get(`/log-streams/${id}`)).json().sink).toEqual(sink);
      // The whole sink, as Auth0's deploy tool sends it.
      expect((await patch(id, { sink: { ...sink, ...to } })).json().sink).toEqual({ ...sink, ...to });
    },
  );

  it('goes to another address where no secret is stored, or the stored one is taken away with it', async () => {
    const { id } = (await post({ type: 'http', sink: SINK })).json();
    expect((await patch(id, { sink: { httpEndpoint: PORT_10, httpAuthorization: '' } })).statusCode).toBe(200);
    expect((await patch(id, { sink: { httpEndpoint: SINK.httpEndpoint } })).json().sink).toMatchObject({
      httpEndpoint: SINK.httpEndpoint,
    });
  });

  it.each([
    ['http', { ...SINK, httpCustomHeaders: headers }, ['httpEndpoint']],
    ['otlp', otlp, ['otlpEndpoint']],
    ['splunk', splunk, ['splunkDomain', 'splunkPort', 'splunkSecure']],
    ['datadog', datadog, ['datadogRegion']],
    ['sumo', { sumoSourceAddress: 'https://a.example/secret-of-a-sink' }, []],
  ])(
    'answers who may not read streams without the stored secrets of %s, and who may with all of them',
    async (type, sink, shown) => {
      const { id } = (await post({ type, sink })).json();
      const writer = streams.world.api('update:log_streams');
      const answered = await writer.patch(`/log-streams/${id}`, { name: 'Other' });
      expect(answered.statusCode).toBe(200);
      expect(Object.keys(answered.json().sink).toSorted()).toEqual(shown);
      expect((await writer.patch(`/log-streams/${id}`, { sink })).json().sink).toEqual(sink);
      expect((await patch(id, { name: 'Again' })).json().sink).toEqual(sink);
    },
  );

  it('suspends nothing: that is the server’s', async () => {
    const { id } = (await post({ type: 'http', sink: SINK })).json();
    expect((await patch(id, { status: 'suspended' })).json()).toMatchObject({ statusCode: 400 });
    expect((await patch(id, { status: 'paused' })).json().status).toBe('paused');
  });
});

describe('a log stream that is not there', () => {
  it('is 404 for every operation, in Auth0’s words', async () => {
    const api = streams.api();
    const path = `/log-streams/lst_${'x'.repeat(16)}`;
    const asked = [
      await api.get(path),
      await api.patch(path, { name: 'x' }),
      await api.delete(path),
      await api.get(`${path}/health`),
      await api.get(`${path}/dead-letters`),
      await api.post(`${path}/test`),
      await api.post(`${path}/replay`, { only_failed: true }),
      await api.post(`${path}/rotate-secret`, {}),
    ];
    for (const response of asked)
      expect(response.json()).toEqual({
        statusCode: 404,
        error: 'Not Found',
        message: 'The log stream does not exist.',
      });
  });
});

describe('the secrets of a sink', () => {
  it('are sealed in the database and masked in the log, and a signing key is told once', async () => {
    const api = streams.api();
    const headers = [{ header: 'x-key', value: 'another-secret' }];
    const { id } = (await post({ type: 'http', sink: { ...SINK, httpCustomHeaders: headers } })).json();
    const { signing_secret } = (await api.post(`/log-streams/${id}/rotate-secret`, {})).json();
    expect((await api.get(`/log-streams/${id}`)).body).not.toContain(signing_secret);
    const { rows } = await streams.world.database.pool.query(
      `select (select string_agg(s::text, '') from log_streams s) || (select string_agg(e.body::text, '') from log_events e) as all`,
    );
    for (const secret of ['secret-of-a-sink', 'another-secret', signing_secret])
      expect(rows[0].all).not.toContain(secret);
  });

  it.each([
    [
      'http',
      { httpEndpoint: SINK.httpEndpoint, httpCustomHeaders: [{ header: 'x-key', value: 'x' }] },
      'httpCustomHeaders',
    ],
    ['otlp', { otlpEndpoint: SINK.httpEndpoint, otlpHeaders: [{ header: 'x-key', value: 'x' }] }, 'otlpHeaders'],
  ])('are not read without an event, headers of %s either', async (type, sink, name) => {
    const { id } = (await post({ type, sink })).json();
    await streams.api().get(`/log-streams/${id}`);
    const events = (await streams.world.events()).filter((event) => event.type === 'mgmt_api_read');
    const reads = events.map(({ details }) => Object(details));
    expect(reads.find(({ request }) => request.path.endsWith(id))?.accessedSecrets).toEqual([name]);
  });

  it('of Mixpanel is shown to nobody, as with Auth0', async () => {
    const sink = { mixpanelRegion: 'eu', mixpanelProjectId: '1', mixpanelServiceAccountUsername: 'u' };
    const created = await post({ type: 'mixpanel', sink: { ...sink, mixpanelServiceAccountPassword: 'hidden' } });
    expect(created.json().sink).toEqual(sink);
  });
});

describe('POST /log-streams/{id}/test', () => {
  it('sends one event at once, paused or not, and tells what the receiver said', async () => {
    const { id } = await streams.createStream();
    await patch(id, { status: 'paused' });
    streams.receiver.behave({ status: 401, body: 'who are you?' });
    const refused = await streams.api().post(`/log-streams/${id}/test`);
    expect(refused.json()).toMatchObject({ ok: false, status: 401, body: 'who are you?', took_ms: expect.any(Number) });
    streams.receiver.behave({ status: 204 });
    const taken = (await streams.api().post(`/log-streams/${id}/test`)).json();
    expect(taken).toMatchObject({ ok: true, status: 204, log_id: expect.stringMatching(/^\d{56}$/) });
    expect(streams.units().at(-1)).toMatchObject({
      log_id: taken.log_id,
      data: { description: 'Test of the log stream Events' },
    });
  });
});

describe('tests of a tenant’s streams at once', () => {
  it('are three at most: the others are told to wait, and another tenant isn’t', async () => {
    // What it would deliver, and take until it is paused, would be counted with the tests.
    const filters = ['scim.event'];
    const { id } = await streams.createStream({ filters });
    await patch(id, { status: 'paused' });
    const acme = await streams.world.createTenant('acme');
    const sink = { httpEndpoint: `${streams.receiver.origin}/` };
    const theirs = (
      await streams.world
        .apiAt(acme)
        .post('/log-streams', { type: 'http', sink, filters: [{ type: 'category', name: 'scim.event' }] })
    ).json();
    await streams.world.apiAt(acme).patch(`/log-streams/${theirs.id}`, { status: 'paused' });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    streams.receiver.behave(async () => {
      await released;
      return { status: 200 };
    });
    const test = () => streams.api().post(`/log-streams/${id}/test`);
    const first = [test(), test(), test()];
    await eventually(() => expect(streams.receiver.open()).toBe(3));
    expect((await test()).json()).toMatchObject({ statusCode: 429, errorCode: 'too_many_requests' });
    const other = streams.world.apiAt(acme).post(`/log-streams/${theirs.id}/test`);
    await eventually(() => expect(streams.receiver.open()).toBe(4));
    release();
    for (const response of [...(await Promise.all(first)), await other])
      expect(response.json()).toMatchObject({ ok: true });
    expect((await test()).json()).toMatchObject({ ok: true });
  });
});

describe('POST /log-streams/{id}/replay', () => {
  it('sends a part of the log once more, with the same ids and marked, while new events come unmarked', async () => {
    const { id } = await streams.createStream({
      format: 'JSONOBJECT',
      filters: ['auth.login.success', 'auth.signup.success'],
    });
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    await streams.happen(3, { type: 'ss' });
    await pause();
    const from = new Date().toISOString();
    await pause();
    await streams.happen(6);
    await pause();
    const to = new Date().toISOString();
    await pause();
    await streams.happen(2, { type: 'ss' });
    await eventually(() => expect(streams.units()).toHaveLength(11));
    streams.receiver.requests.length = 0;

    const replay = await streams.api().post(`/log-streams/${id}/replay`, { from, to });
    expect(replay.statusCode).toBe(202);
    await streams.happen(1, { type: 'ss' });
    await eventually(() => expect(streams.units().length).toBeGreaterThanOrEqual(7));
    const isReplayed = streams.receiver.requests.map(({ headers, body }) => [
      JSON.parse(body).data.type,
      headers['webhook-replay'],
    ]);
    expect(new Set(isReplayed.map(String))).toEqual(new Set(['s,true', 'ss,']));
    expect(streams.ofType('s').slice(0, 6).toSorted()).toEqual((await streams.written()).slice(-6));
    await eventually(async () => expect((await streams.health(id)).replay.finished_at).not.toBeNull());
  });

  it('begins though the database failed when the stream was taken up', async () => {
    const { pool } = streams.world.database;
    const { id } = await streams.createStream();
    await patch(id, { status: 'paused' });
    const lease = () => streams.world.app.stores.streamDeliveries.find('dev', id);
    await eventually(async () => expect((await lease())?.isOwned).toBe(false));
    await streams.api().post(`/log-streams/${id}/replay`, { from: '2020-01-01T00:00:00Z' });
    await pool.query('alter table log_stream_replays rename to away');
    await patch(id, { status: 'active' });
    await eventually(async () => expect((await lease())?.isOwned).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await pool.query('alter table away rename to log_stream_replays');
    await pool.query(`update log_stream_deliveries set lease_until = clock_timestamp() where stream_id = $1`, [id]);
    await eventually(async () => expect((await streams.health(id)).replay.finished_at).not.toBeNull());
  });

  it('runs once at a time', async () => {
    const { id } = await streams.createStream();
    await patch(id, { status: 'paused' });
    const ask = () => streams.api().post(`/log-streams/${id}/replay`, { from: new Date(0).toISOString() });
    const answers = await Promise.all([ask(), ask()]);
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([202, 409]);
  });

  it.each([{}, { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, { from: 'x' }])(
    'refuses %s',
    async (body) => {
      const { id } = await streams.createStream();
      expect((await streams.api().post(`/log-streams/${id}/replay`, body)).json()).toMatchObject({ statusCode: 400 });
    },
  );
});

describe('GET /log-streams/{id}/health', () => {
  it('tells how far the stream is, how fast, and what the last sends came to', async () => {
    const { id } = await streams.createStream({ format: 'JSONARRAY' });
    await streams.happen(10);
    await eventually(() => expect(streams.ofType('s')).toHaveLength(10));
    await eventually(async () => expect((await streams.health(id)).lag.events).toBe(0));
    await eventually(async () => expect((await streams.health(id)).attempts.length).toBeGreaterThan(0));
    expect(await streams.health(id)).toMatchObject({
      status: 'active',
      state: 'healthy',
      lag: { events: 0, is_more: false, seconds: 0 },
      eta_seconds: 0,
      delivered: expect.any(Number),
      last_delivered_at: expect.any(String),
      failures: 0,
      dead_letters: 0,
      replay: null,
      attempts: expect.arrayContaining([
        expect.objectContaining({ ok: true, status: 200, first_log_id: expect.stringMatching(/^\d{56}$/) }),
      ]),
    });
    await patch(id, { status: 'paused' });
    await eventually(async () => expect((await streams.health(id)).state).toBe('paused'));
    await streams.happen(10);
    await eventually(async () => expect((await streams.health(id)).lag.events).toBeGreaterThanOrEqual(10));
  });

  it('keeps the last fifty attempts, with a kilobyte of what failed', async () => {
    streams.receiver.behave({ status: 500, body: 'x'.repeat(5_000) });
    const { id } = await streams.createStream();
    await streams.happen(1);
    await eventually(async () => expect((await streams.health(id)).attempts.length).toBeGreaterThan(0));
    const [failed] = (await streams.health(id)).attempts;
    expect(failed.body.length).toBeLessThan(1_100);
    streams.receiver.behave({ status: 200 });
    streams.world.advance(60_000);
    await streams.happen(80);
    await eventually(() => expect(new Set(streams.ofType('s')).size).toBe(81));
    await eventually(async () => expect((await streams.health(id)).attempts).toHaveLength(50));
  });
});
