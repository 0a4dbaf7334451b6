import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type StreamWorld, startStreamWorld } from '../../test/log-streams/stream-world.ts';

let streams: StreamWorld;
beforeAll(async () => {
  streams = await startStreamWorld();
});
afterAll(() => streams.stop());
afterEach(() => streams.clean());

const get = async (path: string) => (await streams.api().get(`/log-streams${path}`)).json();
const patch = async (id: string, body: unknown) => (await streams.api().patch(`/log-streams/${id}`, body)).json();
const query = async (text: string, values: unknown[] = []) =>
  (await streams.world.database.pool.query(text, values)).rows;

describe('a stream whose sink is damaged', () => {
  it('is listed with the reason while the others deliver; it is suspended once, PATCH mends it and it goes on', async () => {
    const { id: whole } = await streams.createStream({ name: 'Whole', path: '/whole' });
    const { id, path } = await damagedStream('sink');
    const error = expect.stringContaining('enter the whole sink again');
    expect(await get('')).toEqual([
      expect.not.objectContaining({ error: expect.anything() }),
      expect.objectContaining({ id, name: 'Damaged', sink: {}, error }),
    ]);
    await streams.happen(3);
    await eventually(() => expect(streams.ofType('s', '/whole')).toHaveLength(3));
    await eventually(async () => expect(await get(`/${id}`)).toMatchObject({ status: 'suspended', error }));
    expect(await get(`/${id}/health`)).toMatchObject({ status: 'suspended', state: 'errored', error });
    expect(await get(`/${whole}/health`)).toMatchObject({ state: 'healthy' });
    const told = (await streams.world.events()).filter(({ type }) => type === 'fn');
    expect(told).toMatchObject([{ details: { log_stream: { id }, state: 'suspended', problem: error } }]);

    expect(await patch(id, { status: 'active' })).toMatchObject({ statusCode: 400, message: error });
    expect((await streams.api().post(`/log-streams/${id}/test`)).json()).toMatchObject({
      statusCode: 400,
      message: error,
    });
    expect(await patch(id, { name: 'Still damaged' })).toMatchObject({ name: 'Still damaged', error });
    const sink = { httpEndpoint: `${streams.receiver.origin}${path}` };
    const mended = await patch(id, { sink, status: 'active' });
    expect(mended).toMatchObject({ status: 'active', sink });
    expect(mended).not.toHaveProperty('error');
    await eventually(() => expect(streams.ofType('s', path)).toHaveLength(3));
  });

  it('can be deleted', async () => {
    const { id } = await damagedStream('sink');
    expect((await streams.api().delete(`/log-streams/${id}`)).statusCode).toBe(204);
    expect(await get('')).toEqual([]);
  });
});

describe('a stream whose signing keys are damaged', () => {
  it('sends nothing unsigned: it is suspended until it has a new key', async () => {
    const { id, path } = await damagedStream('signing_secrets');
    await streams.happen(1);
    await eventually(async () => expect((await get(`/${id}`)).status).toBe('suspended'));
    expect(await patch(id, { status: 'active' })).toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('rotate-secret'),
    });
    await streams.api().post(`/log-streams/${id}/rotate-secret`, {});
    expect(await patch(id, { status: 'active' })).toMatchObject({ status: 'active' });
    await eventually(() => expect(streams.ofType('s', path)).toHaveLength(1));
    expect(streams.receiver.requests.at(-1)?.headers).toHaveProperty('webhook-signature');
  });
});

/** Nothing is delivered before it is damaged. */
async function damagedStream(column: 'sink' | 'signing_secrets'): Promise<{ id: string; path: string }> {
  const path = `/${column}`;
  const { id } = await streams.createStream({ name: 'Damaged', path });
  await patch(id, { status: 'paused' });
  await eventually(async () => expect((await get(`/${id}/health`)).state).toBe('paused'));
  await query(
    `update log_streams set ${column} = '\\x01020304', status = 'active', version = version + 1 where id = $1`,
    [id],
  );
  return { id, path };
}
