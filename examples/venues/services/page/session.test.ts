import { afterEach, describe, expect, it, vi } from 'vitest';
// @ts-expect-error: a file for browsers, without types.
import { createSession } from './session.js';

afterEach(() => vi.unstubAllGlobals());

describe('a renewal that is answered late', () => {
  it.each([
    ['a logout', false],
    ['a logout and the login of somebody else', true],
  ])('gives nobody the session from before %s', async (_when, somebodyElse) => {
    let answerRenewal = (_answer: Response) => {};
    const sent: (string | undefined)[] = [];
    vi.stubGlobal('fetch', async (url: string, { headers }: { headers: Record<string, string> }) => {
      sent.push(headers.authorization);
      if (url === '/session/refresh') return new Promise<Response>((resolve) => (answerRenewal = resolve));
      if (url === '/session/logout') return new Response(null, { status: 204 });
      return url === '/session/login' ? tokenOf(somebodyElse && sent.length > 1 ? 'bob' : 'ada') : Response.json({});
    });
    const told: string[] = [];
    const session = createSession({
      onRenewed: () => told.push('renewed'),
      onEnded: () => told.push('ended'),
      onRequest: () => {},
    });
    await session.login('ada', 'a password');
    const renewal = session.renew().catch((error: { status?: number }) => error.status);
    await session.logout();
    if (somebodyElse) await session.login('bob', 'a password');
    answerRenewal(tokenOf('ada-renewed'));
    expect(await renewal).toBe(401);
    expect(told).toEqual([]);
    expect(session.isOpen()).toBe(somebodyElse);
    await session.ask('/me');
    expect(sent.at(-1)).toBe(somebodyElse ? 'Bearer bob' : undefined);
    if (somebodyElse) await session.logout();
  });
});

const tokenOf = (access_token: string) => Response.json({ access_token, expires_at: Date.now() / 1000 + 900 });
