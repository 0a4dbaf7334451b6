import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { created, createTestClient, createTestUser, decodeJwt, type TestClient } from '../../test/protocol.ts';
import { CALLBACK, type Visitor } from '../../test/visitor.ts';
import { startWorld, type World } from '../../test/world.ts';

type Person = Awaited<ReturnType<typeof createTestUser>>;

let world: World;
let mail: TestClient;
let shop: TestClient;
let ada: Person;
let eve: Person;
beforeAll(async () => {
  world = await startWorld();
  // What is to be sent is looked at as it is stored.
  await world.app.logouts.stop();
  [mail, shop] = [await listening('mail'), await listening('shop')];
  [ada, eve] = [await createTestUser(world, 'ada'), await createTestUser(world, 'eve')];
});
afterAll(() => world.stop());

const listening = (name: string) =>
  createTestClient(world, {
    name,
    app_type: 'regular_web',
    callbacks: [CALLBACK],
    oidc_logout: {
      backchannel_logout_urls: [`https://${name}.example.com/backchannel`],
      backchannel_logout_initiators: { mode: 'all' },
    },
  });

async function logIn(visitor: Visitor, client: TestClient, { email, password }: Person, prompt = 'login') {
  const parameters = { client_id: client.client_id, prompt };
  const { code, verifier } = await visitor.logIn({ parameters, username: email, password });
  const form = { grant_type: 'authorization_code', ...client, code, code_verifier: verifier, redirect_uri: CALLBACK };
  return String(decodeJwt((await world.token(form)).json().id_token).claims.sid);
}

/** Which applications are to hear of the end of a session, and why; all that was noted is taken. */
async function told(): Promise<Record<string, unknown>[]> {
  const { rows } = await world.database.pool.query(
    'with told as (delete from logout_deliveries returning *) select client_id, session_id, initiator from told order by url',
  );
  return rows;
}

const authenticatedAt = async (sid: string) => (await world.api().get(`/sessions/${sid}`)).json().authenticated_at;

describe('a login in a browser that has a session', () => {
  it('of the same user goes on with the session: nobody is told, and a later logout reaches all', async () => {
    const visitor = world.visitor();
    const sid = await logIn(visitor, mail, ada);
    await created(world.api().patch(`/sessions/${sid}`, { session_metadata: { plan: 'gold' } }));
    world.advance(60_000);
    expect(await logIn(visitor, shop, ada)).toBe(sid);
    expect(await told()).toEqual([]);
    expect((await world.api().get(`/sessions/${sid}`)).json()).toMatchObject({
      authenticated_at: world.now().toISOString(),
      session_metadata: { plan: 'gold' },
      clients: expect.arrayContaining([{ client_id: mail.client_id }, { client_id: shop.client_id }]),
    });
    await visitor.get('/v2/logout');
    expect(await told()).toEqual(
      [mail, shop].map(({ client_id }) => ({ client_id, session_id: sid, initiator: 'rp-logout' })),
    );
  });

  it('of another user ends the session, and tells its applications', async () => {
    const visitor = world.visitor();
    const sid = await logIn(visitor, mail, ada);
    const next = await logIn(visitor, shop, eve);
    expect(next).not.toBe(sid);
    expect(await told()).toEqual([{ client_id: mail.client_id, session_id: sid, initiator: 'session-revoked' }]);
    expect((await world.api().get(`/sessions/${sid}`)).statusCode).toBe(404);
  });

  it('of the same user begins anew where the session is over, and tells that it was', async () => {
    const visitor = world.visitor();
    const sid = await logIn(visitor, mail, ada);
    world.advance(8 * 86_400_000);
    const next = await logIn(visitor, mail, ada);
    expect(next).not.toBe(sid);
    expect(await told()).toEqual([{ client_id: mail.client_id, session_id: sid, initiator: 'session-expired' }]);
  });

  it('takes over for one of two tabs that log in at once; the other gets a session of its own', async () => {
    const visitor = world.visitor();
    const sid = await logIn(visitor, mail, ada);
    const before = new Map(visitor.cookies);
    const tabs = await Promise.all(
      [1, 2].map(async () => {
        const tab = world.visitor();
        for (const [name, value] of before) tab.cookies.set(name, value);
        return logIn(tab, shop, ada);
      }),
    );
    expect(tabs.filter((id) => id === sid)).toHaveLength(1);
    expect(await authenticatedAt(sid)).toBe(world.now().toISOString());
    expect((await visitor.authorize({ prompt: 'none' })).answer?.get('error')).toBe('login_required');
  });
});
