import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

describe('GET /.well-known/security.txt', () => {
  const contactAt = async (origin: string) => {
    const { body } = await world.request({ path: '/.well-known/security.txt', tenant: { origin } });
    return /^Contact: (.*)$/m.exec(body)?.[1];
  };

  it.each([
    ['https://localhost:3443', 'mailto:security@localhost'],
    ['http://[::1]:3000', 'mailto:security@localhost'],
    ['https://dev.localhost:3443', 'mailto:security@dev.localhost'],
  ])('sends reports about %s to its operator: %s', async (origin, contact) => {
    expect(await contactAt(origin)).toBe(contact);
  });

  it('names the support address of the tenant where there is one', async () => {
    const settings = { support_email: 'help@example.com' };
    expect((await world.api('update:tenant_settings').patch('/tenants/settings', settings)).statusCode).toBe(200);
    expect(await contactAt('https://localhost:3443')).toBe('mailto:help@example.com');
  });
});
