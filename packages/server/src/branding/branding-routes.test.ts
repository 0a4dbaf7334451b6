import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exampleTheme } from '../../test/management/page-examples.ts';
import { answer } from '../../test/protocol.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

const TEMPLATE = '<html><head>{%- auth0:head -%}</head><body>{%- auth0:widget -%}</body></html>';

let world: World;
let api: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(() => {
  api = world.api();
});

describe('/branding', () => {
  it('keeps what is sent: members replace, colours one by one, null removes', async () => {
    expect(await answer(api.get('/branding'))).toEqual({ status: 200, body: {} });
    await api.patch('/branding', {
      colors: { primary: '#0b6b62', page_background: '#fafafa' },
      logo_url: 'https://a.example/logo.png',
      favicon_url: 'https://a.example/icon.png',
      font: { url: 'https://a.example/font.woff2' },
    });
    const gradient = { type: 'linear-gradient', start: '#fff', end: '#eee', angle_deg: 35 };
    const changed = await answer(
      api.patch('/branding', { colors: { page_background: gradient }, favicon_url: null, font: null }),
    );
    const expected = {
      colors: { primary: '#0b6b62', page_background: gradient },
      logo_url: 'https://a.example/logo.png',
    };
    expect(changed).toEqual({ status: 200, body: expected });
    expect(await answer(api.get('/branding'))).toEqual({ status: 200, body: expected });
    await api.patch('/branding', { colors: null, logo_url: null });
    expect((await answer(api.get('/branding'))).body).toEqual({});
  });

  it.each([
    [{ logo_url: 'http://a.example/logo.png' }],
    [{ logo_url: 'javascript:alert(1)' }],
    [{ logo_url: 'data:image/svg+xml,<svg onload=alert(1)>' }],
    [{ favicon_url: '//a.example/icon.png' }],
    [{ font: { url: 'http://a.example/font.woff2' } }],
    [{ colors: { primary: 'red;background:url(//evil.example)' } }],
    [{ colors: { page_background: '</style><script>alert(1)</script>' } }],
    [{ colors: { page_background: { type: 'linear-gradient', start: '#fff', end: 'url(x)', angle_deg: 1 } } }],
    [{ colors: { page_background: { type: 'radial-gradient', start: '#fff', end: '#000' } } }],
    [{ colors: { page_background: { type: 'linear-gradient', start: '#fff', end: '#000', angle_deg: '1;x' } } }],
    [{ css: 'body{}' }],
  ])('refuses %j', async (body) => {
    expect(await answer(api.patch('/branding', body))).toMatchObject({
      status: 400,
      body: { errorCode: 'invalid_body' },
    });
    expect((await answer(api.get('/branding'))).body).toEqual({});
  });

  it('loses nothing when several change it at once', async () => {
    const changes = [
      { logo_url: 'https://a.example/1.png' },
      { favicon_url: 'https://a.example/2.png' },
      { colors: { primary: '#111111' } },
      { colors: { page_background: '#222222' } },
    ];
    await Promise.all(changes.map((change) => api.patch('/branding', change)));
    expect((await answer(api.get('/branding'))).body).toEqual({
      logo_url: 'https://a.example/1.png',
      favicon_url: 'https://a.example/2.png',
      colors: { primary: '#111111', page_background: '#222222' },
    });
  });
});

describe('/branding/themes', () => {
  const missing = (verb: string) => ({
    status: 404,
    body: {
      statusCode: 404,
      error: 'Not Found',
      message: `There was an error ${verb} branding settings: invalid theme ID`,
      errorCode: 'theme_not_found',
    },
  });

  it('has one theme: made, read, changed and deleted', async () => {
    expect(await answer(api.get('/branding/themes/default'))).toEqual(missing('retrieving'));
    const made = await answer(api.post('/branding/themes', { displayName: 'Ours', ...exampleTheme() }));
    expect(made).toMatchObject({
      status: 200,
      body: { displayName: 'Ours', themeId: expect.stringMatching(/^\w{32}$/) },
    });
    const { themeId } = Object(made.body);
    expect(await answer(api.get('/branding/themes/default'))).toEqual(made);
    expect(await answer(api.get(`/branding/themes/${themeId}`))).toEqual(made);
    const another = exampleTheme({ colors: { primary_button: '#112233' } });
    const changed = await answer(api.patch(`/branding/themes/${themeId}`, another));
    expect(changed.body).toEqual({ displayName: 'Ours', ...another, themeId });
    expect(await answer(api.get(`/branding/themes/${'x'.repeat(32)}`))).toEqual(missing('retrieving'));
    expect(await answer(api.patch(`/branding/themes/${'x'.repeat(32)}`, another))).toEqual(missing('updating'));
    expect((await answer(api.delete(`/branding/themes/${themeId}`))).status).toBe(204);
    expect(await answer(api.delete(`/branding/themes/${themeId}`))).toEqual(missing('deleting'));
  });

  it('makes one of several that are sent at once; the others are conflicts', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => answer(api.post('/branding/themes', exampleTheme()))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const { themeId } = (await api.get('/branding/themes/default')).json();
    await api.delete(`/branding/themes/${themeId}`);
  });

  it.each([
    [{ widget: { logo_url: 'javascript:alert(1)' } }],
    [{ page_background: { background_image_url: 'http://a.example/x.png' } }],
    [{ fonts: { font_url: 'data:font/woff2;base64,AAAA' } }],
    [{ colors: { header: 'red' } }],
    [{ borders: { widget_corner_radius: 1e9 } }],
  ])('refuses %j', async (change) => {
    const response = await answer(api.post('/branding/themes', exampleTheme(change)));
    expect(response).toMatchObject({ status: 400, body: { errorCode: 'invalid_body' } });
  });
});

describe('/branding/templates/universal-login', () => {
  const path = '/branding/templates/universal-login';

  it('takes JSON or text/html, and is gone after DELETE', async () => {
    expect(await answer(api.get(path))).toMatchObject({
      status: 404,
      body: { errorCode: 'inexistent_templates_universal_login', message: 'Template does not exist.' },
    });
    expect((await api.put(path, { template: TEMPLATE })).statusCode).toBe(201);
    expect(await answer(api.get(path))).toEqual({ status: 200, body: { body: TEMPLATE } });
    const other = TEMPLATE.replace('<body>', '<body class="überall">');
    const headers = {
      authorization: `Bearer ${await world.managementToken()}`,
      'content-type': 'text/html; charset=utf-8',
    };
    const sent = await world.request({ method: 'PUT', path: `/api/v2${path}`, headers, body: other });
    expect(sent.statusCode).toBe(201);
    expect((await answer(api.get(path))).body).toEqual({ body: other });
    expect((await api.delete(path)).statusCode).toBe(204);
    expect((await api.get(path)).statusCode).toBe(404);
  });

  it('refuses what is no such page, and keeps the one that is there', async () => {
    await api.put(path, { template: TEMPLATE });
    for (const template of [
      '',
      '<html></html>',
      TEMPLATE.replace('auth0:head', 'auth0:foot'),
      `${TEMPLATE}{% for %}`,
    ]) {
      const refused = await answer(api.put(path, { template }));
      expect([template, refused]).toMatchObject([template, { status: 400, body: { errorCode: 'invalid_body' } }]);
    }
    expect((await answer(api.get(path))).body).toEqual({ body: TEMPLATE });
    await api.delete(path);
  });

  it('is the only operation that takes HTML', async () => {
    const headers = { authorization: `Bearer ${await world.managementToken()}`, 'content-type': 'text/html' };
    const response = await world.request({ method: 'PATCH', path: '/api/v2/branding', headers, body: '<p>' });
    expect(response.statusCode).toBe(415);
  });
});
