// A backend of its own: refreshes an access token so often at once, and prints what it got. With `crash` it dies as soon as the
// server has rotated, before anything is written.
import { createSessionBroker } from '../src/broker/session-broker.ts';
import { createMemcachedCache } from '../src/memcached/memcached-cache.ts';

const { settings, accessToken, times, crash } = JSON.parse(process.argv[2] ?? '{}');

const broker = createSessionBroker({
  ...settings,
  cache: createMemcachedCache({ servers: [settings.memcached], deadlineMs: 1_000 }),
  fetch: async (url: string, init: RequestInit) => {
    const response = await fetch(url, init);
    if (crash && String(init.body).includes('grant_type=refresh_token')) process.kill(process.pid, 'SIGKILL');
    return response;
  },
});
const results = await Promise.all(Array.from({ length: times }, () => broker.refresh(accessToken)));
process.stdout.write(JSON.stringify(results), () => process.exit(0));
