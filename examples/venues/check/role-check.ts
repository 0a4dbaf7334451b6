import assert from 'node:assert/strict';
import { ask } from './ask.ts';
import type { Check } from './check.ts';

/** The five roles, each where it runs. */
export const roleCheck: Check = {
  id: 'PWD.3',
  what: 'owner, user agent, client, resource server and authorization server are five, and all are there',
  async run({ environments: { dev }, processes }) {
    const page = await ask(`${dev.userApi}/`);
    assert.match(page.text, /<title>Acme Venues/, 'the page of the user agent');
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    for (const file of ['page.js', 'session.js', 'page.css'])
      assert.equal((await ask(`${dev.userApi}/${file}`)).status, 200, file);
    assert.equal((await ask(`${dev.userApi}/health/live`)).status, 200, 'the client');
    assert.equal((await ask(`${dev.venueApi}/health/live`)).status, 200, 'the resource server');
    assert.equal((await ask(`${dev.tokenService}/health/ready`)).status, 200, 'the token service');
    assert.equal((await ask(`${dev.issuer}.well-known/jwks.json`)).status, 200, 'the authorization server');
    const names = processes.map(({ name }) => name);
    return `the page under a strict policy, and ${names.join(', ')}`;
  },
};
