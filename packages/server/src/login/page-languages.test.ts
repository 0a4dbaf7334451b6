import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await enable(['en', 'de', 'es', 'fr-CA', 'ja']);
});
afterAll(() => world.stop());

describe('the language of the login page', () => {
  it('is what the application asks for with ui_locales, before what the browser prefers', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize({ ui_locales: 'ja de-AT en' });
    expect(response.body).toContain('<html lang="de" dir="ltr">');
    expect(response.body).toContain('<h1>Willkommen</h1>');
    expect(response.headers).toMatchObject({ 'content-language': 'de', vary: 'Accept-Language' });
    const again = await visitor.submit(response, { username: '', password: '' });
    expect(again.body).toContain('Geben Sie Ihre E-Mail-Adresse ein.');
  });

  it('is what the browser prefers where the application asks for nothing', async () => {
    const visitor = world.visitor();
    const { response } = await visitor.authorize();
    const { url } = pathOf(response.body);
    const page = await visitor.get(url, { 'accept-language': 'it, fr-FR;q=0.8, es;q=0.5' });
    expect(page.body).toContain('<html lang="fr-CA" dir="ltr">');
    expect(page.body).toContain('<h1>Bienvenue</h1>');
  });

  it('is the first of the tenant where nobody asks for one that it has', async () => {
    await enable(['es', 'en']);
    const { response } = await world.visitor().authorize({ ui_locales: 'de' });
    expect(response.body).toContain('<html lang="es" dir="ltr">');
    await enable(['en', 'de', 'es', 'fr-CA', 'ja']);
  });

  it('is the language of error pages, too', async () => {
    const german = { accept: 'text/html', 'accept-language': 'de' };
    expect((await world.request({ path: '/nowhere', headers: german })).body).toContain('<h1>Hier ist nichts</h1>');
    expect((await world.request({ path: '/u/login?state=x', headers: german })).body).toContain('<html lang="de"');
    const unknown = await world.request({ path: '/authorize?client_id=nobody&ui_locales=es' });
    expect(unknown.body).toContain('<h1>No conocemos esta aplicación</h1>');
  });

  it('is English in a tenant that enabled no other', async () => {
    const tenant = await world.createTenant('plain');
    const response = await world.request({
      path: '/nowhere',
      headers: { accept: 'text/html', 'accept-language': 'de' },
      tenant,
    });
    expect(response.body).toContain('<html lang="en" dir="ltr">');
  });
});

async function enable(locales: readonly string[]): Promise<void> {
  const response = await world.api().patch('/tenants/settings', { enabled_locales: locales });
  expect(response.statusCode).toBe(200);
}

function pathOf(page: string): { url: string } {
  return { url: /<form[^>]* action="([^"]+)"/.exec(page)?.[1] ?? '' };
}
