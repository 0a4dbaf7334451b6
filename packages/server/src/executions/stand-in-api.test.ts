import { describe, expect, it } from 'vitest';
import { createApiTunnels } from '../containers/api-tunnel.ts';
import { standInApi } from './stand-in-api.ts';

const ask = (path: string, headers: Readonly<Record<string, string>> = {}) => ({
  method: 'GET',
  url: path,
  headers,
  body: Buffer.alloc(0),
});

describe('the stand-in for the Management API', () => {
  /** No request gets as far as the server. */
  const live = createApiTunnels({ inject: () => Promise.reject(new Error('It was let through.')) })('dev', [
    'https://dev.example.com',
  ]);

  it.each(['/userinfo', '/.well-known/openid-configuration', '/dbconnections/signup', '/api/v2/users', '/u/login'])(
    'refuses %s as a server does',
    async (path) => {
      const { tunnel, calls } = standInApi({ user_id: 'auth0|1' });
      const refused = await tunnel.answer(ask(path), 1);
      expect(refused).toEqual(await live.answer(ask(path), 1));
      expect(calls).toEqual([{ method: 'GET', path, status: path === '/api/v2/users' ? 401 : 403 }]);
    },
  );

  it('answers what a server would let through', async () => {
    const { tunnel } = standInApi({ user_id: 'auth0|1' });
    const answered = await tunnel.answer(ask('/api/v2/users', { authorization: 'Bearer some-token' }), 1);
    expect([answered.status, JSON.parse(answered.body.toString())]).toEqual([200, [{ user_id: 'auth0|1' }]]);
  });
});
