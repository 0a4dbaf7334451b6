import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exampleTheme } from '../../test/management/page-examples.ts';
import { parseStrictHtml } from '../../test/strict-html.ts';
import { type ManagementClient, startWorld, type World } from '../../test/world.ts';

const SCRIPT = '<script>alert(1)</script>';
const TEMPLATE_PATH = '/branding/templates/universal-login';

let world: World;
let api: ManagementClient;
beforeAll(async () => {
  world = await startWorld();
  await world.api().patch('/tenants/settings', { friendly_name: 'Northwind', enabled_locales: ['en', 'de', 'ja'] });
});
beforeEach(() => {
  api = world.api();
});
afterAll(() => world.stop());

const loginPage = async (parameters = {}) => (await world.visitor().authorize(parameters)).response;

describe('branding', () => {
  it('shows on the next page, in this process and in another', async () => {
    await loginPage();
    const second = await world.secondServer();
    const path = '/u/login?state=gone';
    await second.request({ path });
    const colors = { primary: '#7a1fa2', page_background: '#fdf6ff' };
    await ok(api.patch('/branding', { colors, logo_url: 'https://images.example/logo.png' }));
    const { body, headers } = await loginPage();
    expect(body).toContain('--accent:#7a1fa2');
    expect(body).toContain('--page:#fdf6ff');
    expect(body).toContain('<img class="logo" src="https://images.example/logo.png" alt="Northwind">');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    await expect.poll(async () => (await second.request({ path })).body).toContain('--accent:#7a1fa2');
    await second.stop();
    await ok(api.patch('/branding', { colors: null, logo_url: null }));
  });

  it('takes a logo from settings and clients as an image only: an SVG never becomes part of the page', async () => {
    const svg = `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">${SCRIPT}</svg>`;
    await api.patch('/tenants/settings', { picture_url: svg });
    await api.patch(`/clients/${world.spa_client.client_id}`, { logo_uri: svg });
    const { body } = await loginPage();
    expect(tags(body)).not.toContain('svg onload');
    expect(parseStrictHtml(body).filter(({ tag, attributes }) => tag === 'script' && !attributes.has('src'))).toEqual(
      [],
    );
    await api.patch('/tenants/settings', { picture_url: '' });
  });
});

describe('a theme', () => {
  it('replaces colours, borders, fonts and background, readable as ever; its font is all that the policy adds', async () => {
    const theme = exampleTheme({
      colors: { header: '#fefefe', primary_button: '#ffee00', primary_button_label: '#ffffff' },
      fonts: { font_url: 'https://fonts.example/a(b)".woff2?x=1&y=</style>' },
      borders: { buttons_style: 'pill' },
    });
    const { themeId } = (await ok(api.post('/branding/themes', theme))).json();
    const { body, headers } = await loginPage();
    const style = parseStrictHtml(body).find(({ tag }) => tag === 'style')?.text ?? '';
    expect(style).toContain('--button-radius:999px');
    expect(style).not.toContain('--heading:#fefefe');
    expect(style).toContain('--on-accent:#');
    expect(style).not.toContain('--on-accent:#ffffff');
    expect(style).toMatch(
      /^@font-face\{font-family:brand;font-display:swap;src:url\(https:\/\/fonts\.example\/[^()"'<>&]*\)\}/,
    );
    expect(headers['content-security-policy']).toContain('font-src https://fonts.example;');
    expect(headers['content-security-policy']).not.toContain('unsafe');
    await ok(api.delete(`/branding/themes/${themeId}`));
  });
});

describe('custom texts', () => {
  it('replace ours in their language, with names in them, as text', async () => {
    const texts = {
      login: {
        title: `Hi ${SCRIPT}`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders of the texts
        description: 'To ${clientName} of ${companyName}',
        signupActionLinkText: 'Join',
        buttonText: '',
      },
    };
    await ok(api.put('/prompts/login/custom-text/en', texts));
    const { body } = await loginPage();
    expect(body).toContain('<h1>Hi &lt;script&gt;alert(1)&lt;/script&gt;</h1>');
    expect(body).toMatch(/<p class="lead">To [^<$]+ of Northwind<\/p>/);
    expect(body).toContain('>Join</a>');
    expect(body).toContain('<span>Log in</span>');
    expect((await loginPage({ ui_locales: 'de' })).body).toContain('<h1>Willkommen</h1>');
    await ok(api.put('/prompts/login/custom-text/en', {}));
    expect((await loginPage()).body).toContain('<h1>Welcome</h1>');
  });

  it('make a language of the catalogue that has no file of ours', async () => {
    expect((await loginPage({ ui_locales: 'ja' })).body).toContain('<html lang="en"');
    await ok(api.put('/prompts/login/custom-text/ja', { login: { title: 'ようこそ' } }));
    const { body } = await loginPage({ ui_locales: 'ja' });
    expect(body).toContain('<html lang="ja"');
    expect(body).toContain('<h1>ようこそ</h1>');
    await ok(api.put('/prompts/login/custom-text/ja', {}));
  });
});

describe('a page template', () => {
  const template = `<!doctype html><html lang="{{ locale }}"><head><title>{{ prompt.screen.texts.pageTitle }}</title>
    <style>h1{color:red}</style>{%- auth0:head -%}<script>alert("template")</script></head>
    <body class="_widget-auto-layout"><p id="names">{{ application.metadata.note }}|{{ tenant.friendly_name }}|{{ prompt.name }}|{{ prompt.screen.name }}|{{ branding.colors.primary }}|{{ application.metadata.note | raw }}</p>
    {%- auth0:widget -%}</body></html>`;

  it('surrounds the form; what it is told is escaped, and its scripts do not run', async () => {
    const client_metadata = { note: `Shop ${SCRIPT}` };
    await ok(api.patch(`/clients/${world.spa_client.client_id}`, { client_metadata }));
    await ok(api.put(TEMPLATE_PATH, { template }));
    const { body, headers } = await loginPage();
    expect(body).toContain('<html lang="en">');
    expect(body.match(/<title>/g)).toHaveLength(1);
    const escaped = 'Shop &lt;script&gt;alert(1)&lt;/script&gt;';
    expect(body).toContain(`<p id="names">${escaped}|Northwind|login|login||${escaped}</p>`);
    expect(body).not.toContain(SCRIPT);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("script-src 'self'; ");
    expect(policy).toContain("style-src 'self' 'unsafe-inline' https:");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toMatch(/^default-src 'none'; /);
    const { code } = await world.visitor().logIn();
    expect(code).toBeTruthy();
    await ok(api.delete(TEMPLATE_PATH));
    expect((await loginPage()).body).not.toContain('id="names"');
  });

  it('that can not be rendered gives way to our own page', async () => {
    const loop =
      '{% if application.id %}{% for a in (1..99999) %}{% for b in (1..99999) %}x{% endfor %}{% endfor %}{% endif %}';
    await ok(api.put(TEMPLATE_PATH, { template: template.replace('<p id="names">', `<p id="names">${loop}`) }));
    const { body, statusCode } = await loginPage();
    expect([statusCode, body.includes('id="names"'), body.includes('name="password"')]).toEqual([200, false, true]);
    await ok(api.delete(TEMPLATE_PATH));
  });
});

describe('partials', () => {
  it('stand in the forms that they are for, under a policy that runs none of their scripts', async () => {
    const partial = `<label class="terms"><input type="checkbox" name="ulp-terms"> {{ prompt.screen.texts.varTos }}</label>${SCRIPT}`;
    await ok(api.put('/prompts/signup/partials', { signup: { 'form-content-end': partial } }));
    await ok(api.put('/prompts/signup/custom-text/en', { signup: { 'var-tos': `I agree ${SCRIPT}` } }));
    const { body, headers } = await loginPage({ screen_hint: 'signup' });
    expect(body).toContain('name="ulp-terms"> I agree &lt;script&gt;');
    expect(body.indexOf('ulp-terms')).toBeLessThan(body.indexOf('class="primary"'));
    expect(headers['content-security-policy']).toContain("script-src 'self'; ");
    expect((await loginPage()).body).not.toContain('ulp-terms');
    await ok(api.put('/prompts/signup/partials', {}));
  });
});

async function ok(asked: ReturnType<ManagementClient['get']>) {
  const response = await asked;
  expect(response.statusCode, response.body).toBeLessThan(300);
  return response;
}

function tags(html: string): string {
  return parseStrictHtml(html)
    .map(({ tag, attributes }) => [tag, ...attributes.keys()].join(' '))
    .join('\n');
}
