import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase } from '../test-database.ts';
import { call } from './calls.ts';
import { place, run, runToEnd } from './command.ts';

const ORIGIN = 'https://login.example.com';

describe('A database without a tenant', () => {
  it('is told at the start; the first tenant made is the default one and answers at GATEWRIGHT_ORIGIN', async () => {
    const { env, http } = await place();
    const own = await createTestDatabase();
    onTestFinished(() => own.drop());
    const server = run(['start'], {
      env: {
        ...env,
        HTTPS_PORT: '0',
        DATABASE_URL: own.url,
        GATEWRIGHT_ORIGIN: ORIGIN,
        GATEWRIGHT_BASE_DOMAIN: 'example.net',
        TRUSTED_PROXIES: '127.0.0.1,::1',
      },
    });
    await server.says('Ready after');
    expect(server.printed()).toMatch(/There is no tenant yet, so .* npx gatewright tenant create <name>\n/);
    const discovery = (host: string) =>
      call(`http://localhost:${http}`, '/.well-known/openid-configuration', {
        headers: { 'x-forwarded-host': host, 'x-forwarded-proto': 'https' },
      });
    expect((await discovery('login.example.com')).status).toBe(404);

    const first = await runToEnd(['tenant', 'create', 'acme'], { env });
    expect(first).toEqual({
      code: 0,
      printed: expect.stringContaining(`Made the default tenant 'acme' at ${ORIGIN}.`),
    });
    expect(await discovery('login.example.com')).toMatchObject({
      status: 200,
      body: { issuer: `${ORIGIN}/` },
    });

    const second = await runToEnd(['tenant', 'create', 'umbrella'], { env });
    expect(second).toEqual({ code: 0, printed: expect.stringContaining("Made the tenant 'umbrella' at http") });
    expect((await discovery('umbrella.example.net')).status).toBe(200);
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });
  });
});
