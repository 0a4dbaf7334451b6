import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { browserOf, cacheKeyOf, freshToken, type LoggedIn, loggedInOf } from './ask.ts';
import type { Check } from './check.ts';

const BACK_MILLISECONDS = 60_000;

/** What a crash of memcached means: requests go on, sessions are gone. */
export function memcachedChecks(): readonly Check[] {
  let session: LoggedIn | undefined;
  return [
    {
      id: 'killed',
      what: 'memcached is killed: requests go on, but nobody can log in or renew for the moment',
      async run({ environments: { dev }, memcached }) {
        const browser = browserOf(dev);
        session = await browser.login();
        assert.equal((await browser.venues(session.token)).status, 200);
        await memcached.kill();
        assert.equal((await browser.venues(session.token)).status, 200, 'the token service was not asked instead');
        assert.equal((await browser.venues(await freshToken(dev))).status, 200);
        assert.equal((await browser.venues('nonsense')).status, 401);
        assert.equal((await browser.sendLogin()).status, 503, 'a session that nothing keeps');
        assert.equal((await browser.refresh(session.token)).status, 503, 'the session may still be there');
        return 'good tokens 200, a bad one 401; login and renewal 503';
      },
    },
    {
      id: 'back',
      what: 'memcached is back, empty: it is used again, sessions from before ask for a login',
      async run({ environments: { dev, int }, memcached }) {
        await memcached.restart();
        const browser = browserOf(dev);
        const fresh = await loginOnceBack(dev);
        await loginOnceBack(int);
        assert.ok(session, 'memcached was not killed');
        assert.equal((await browser.venues(session.token)).status, 200, 'the token itself is still good');
        assert.equal((await browser.refresh(session.token)).status, 401, 'its session went with memcached');
        const renewed = await browser.refresh(fresh.token);
        assert.equal(renewed.status, 200, renewed.text);
        assert.equal((await browser.venues(loggedInOf(renewed).token)).status, 200);
        // A token without a session, so that its entry is the venue API's alone.
        const token = await freshToken(dev);
        await untilCached(
          () => browser.venues(token),
          () => memcached.secondsLeftOf(cacheKeyOf(token, dev)),
        );
        return 'a new session is renewed, one from before is 401 at its renewal, verdicts are cached again';
      },
    },
  ];
}

/** Services try again after a moment, each for itself. */
async function loginOnceBack(environment: Parameters<typeof browserOf>[0]): Promise<LoggedIn> {
  const deadline = Date.now() + BACK_MILLISECONDS;
  for (;;) {
    const answer = await browserOf(environment).sendLogin();
    if (answer.status === 200) return loggedInOf(answer);
    assert.ok(answer.status === 503 && Date.now() < deadline, `the login answers ${answer.status} ${answer.text}`);
    await sleep(200);
  }
}

async function untilCached(request: () => Promise<unknown>, left: () => Promise<number | undefined>): Promise<void> {
  const deadline = Date.now() + BACK_MILLISECONDS;
  for (;;) {
    await request();
    if ((await left()) !== undefined) return;
    assert.ok(Date.now() < deadline, 'the venue API does not use memcached again');
    await sleep(200);
  }
}
