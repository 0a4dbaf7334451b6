import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJwt, eventTypesOf, redeem } from '../../../test/protocol.ts';
import type { Visitor } from '../../../test/visitor.ts';
import { startWorld, type World } from '../../../test/world.ts';

const BROWSERS = 6;

let world: World;
let browsers: Visitor[];
beforeAll(async () => {
  world = await startWorld();
  browsers = Array.from({ length: BROWSERS }, () => world.visitor());
  for (const browser of browsers) await browser.logIn();
});
afterAll(() => world.stop());

const silently = (browser: Visitor) => browser.authorize({ prompt: 'none' });

/** The session that a silent answer is of, by its ID token. */
async function sessionOf({ answer, verifier }: Awaited<ReturnType<typeof silently>>): Promise<unknown> {
  const tokens = await redeem(world, { code: answer?.get('code') ?? '', verifier });
  return decodeJwt(tokens.json().id_token).claims.sid;
}

/** While `work` runs, a statement about the session of a cookie is under way elsewhere; then it commits. */
async function meanwhile(
  statement: string,
  browser: Visitor,
  work: (sessionId: string) => Promise<void>,
): Promise<void> {
  const sessionId = String(await sessionOf(await silently(browser)));
  const other = await world.database.pool.connect();
  try {
    await other.query('begin');
    await other.query(statement, [sessionId]);
    await work(sessionId);
    await other.query('commit');
  } finally {
    other.release(true);
  }
}

describe('silent authentications that come at once', () => {
  it('each get a code of their own session, and one event', async () => {
    const before = await Promise.all(browsers.map(async (browser) => sessionOf(await silently(browser))));
    expect(new Set(before).size).toBe(BROWSERS);
    const types = await eventTypesOf(world, async () => {
      const answers = await Promise.all([...browsers, world.visitor()].map(silently));
      expect(answers.at(-1)?.answer?.get('error')).toBe('login_required');
      const codes = answers.slice(0, BROWSERS);
      expect(new Set(codes.map(({ answer }) => answer?.get('code'))).size).toBe(BROWSERS);
      expect(await Promise.all(codes.map(sessionOf))).toEqual(before);
    });
    expect(types.toSorted()).toEqual(['fsa', ...Array(BROWSERS).fill('seacft'), ...Array(BROWSERS).fill('ssa')]);
  });

  it('of one browser each get a code that is redeemed once', async () => {
    const browser = browsers[0] ?? world.visitor();
    const types = await eventTypesOf(world, async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, () => silently(browser)));
      expect(new Set(await Promise.all(answers.map(sessionOf))).size).toBe(1);
    });
    expect(types.toSorted()).toEqual([...Array(5).fill('seacft'), ...Array(5).fill('ssa')]);
  });

  it('wait for nobody else whose session is held up', async () => {
    const [held = world.visitor(), ...others] = browsers;
    let late: ReturnType<typeof silently> | undefined;
    await meanwhile('select from sessions where session_id = $1 for update', held, async () => {
      late = silently(held);
      const answers = await Promise.all(others.map(silently));
      expect(answers.every(({ answer }) => answer?.has('code'))).toBe(true);
    });
    expect((await late)?.answer?.get('code')).toBeTruthy();
  });

  it('get nothing of a session that ends meanwhile', async () => {
    const [, ending = world.visitor(), ...others] = browsers;
    let late: ReturnType<typeof silently> | undefined;
    const types = await eventTypesOf(world, async () => {
      await meanwhile('delete from sessions where session_id = $1', ending, async () => {
        late = silently(ending);
        await Promise.all(others.map(silently));
      });
      expect((await late)?.answer?.get('error')).toBe('login_required');
    });
    // One of `meanwhile`, then those of the others: none for the session that ended.
    expect(types.filter((type) => type === 'ssa')).toHaveLength(1 + others.length);
    expect(types.filter((type) => type === 'fsa')).toHaveLength(1);
  });

  it('note that the session was used, by which application and from where', async () => {
    const browser = browsers.at(-1) ?? world.visitor();
    const sessionId = String(await sessionOf(await silently(browser)));
    world.advance(60_000);
    await silently(browser);
    const session = (await world.api('read:sessions').get(`/sessions/${sessionId}`)).json();
    expect(session).toMatchObject({
      updated_at: world.now().toISOString(),
      clients: [{ client_id: world.spa_client.client_id }],
      device: { last_ip: '127.0.0.1' },
    });
  });
});
