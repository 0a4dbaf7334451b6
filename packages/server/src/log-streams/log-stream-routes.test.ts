import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type StreamWorld, startStreamWorld } from '../../test/log-streams/stream-world.ts';
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
