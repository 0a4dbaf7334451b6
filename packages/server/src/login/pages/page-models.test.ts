import { describe, expect, it } from 'vitest';
import { parseStrictHtml } from '../../../test/strict-html.ts';
import { brandingFrom } from './branding.ts';
import { createPageRenderer, type PageModelByName } from './page-renderer.ts';
import { completeTexts, fill } from './page-texts.ts';
import { staticAssets } from './static-assets.ts';

const renderer = createPageRenderer();
const branding = { tenantName: 'Northwind' };
const login = {
  action: '/u/login',
  state: 's',
  csrfToken: 'c',
  connection: 'Username-Password-Authentication',
  clientName: 'Shop',
} satisfies PageModelByName['login'];

describe('the log-in page', () => {
  it('answers a wrong login with the same bytes for every address of the same length', () => {
    const pages = ['known@example.com', 'other@example.com'].map((username) =>
      renderer
        .render('login', { ...login, username, errors: { form: ['wrong-email-credentials'] } }, branding)
        .html.replace(username, ''),
    );
    expect(pages[0]).toBe(pages[1]);
    expect(pages[0]).toContain('Wrong email or password.');
  });

  it('has no link to sign up or to reset a password unless it is given one', () => {
    expect(renderer.render('login', login, branding).html).not.toContain('<a ');
  });

  it('tells password managers what its fields are, and never sends a password back', () => {
    const inputs = inputsOf(renderer.render('login', { ...login, username: 'ada@example.com' }, branding).html);
    expect(inputs.get('username')).toMatchObject({ type: 'email', autocomplete: 'username', value: 'ada@example.com' });
    expect(inputs.get('password')).toMatchObject({ type: 'password', autocomplete: 'current-password', autofocus: '' });
    expect(inputs.get('password')).not.toHaveProperty('value');
  });

  it('ties an error to its field and announces the others', () => {
    const errors = { form: ['too-many-attempts'], fields: { password: 'no-password' } } as const;
    const { html } = renderer.render('login', { ...login, errors }, branding);
    expect(inputsOf(html).get('password')).toMatchObject({
      'aria-invalid': 'true',
      'aria-describedby': 'password-error',
    });
    expect(html).toContain('role="alert"');
    expect(html).toContain('<title>Error: Log in | Shop</title>');
  });
});

describe('the sign-up page', () => {
  const signUp = { ...login, action: '/u/signup', loginUrl: '/u/login', passwordRules: { minLength: 8 } };

  it('asks for a username only where the connection requires one', () => {
    const names = (requiresUsername: boolean) => [
      ...inputsOf(renderer.render('sign-up', { ...signUp, requiresUsername }, branding).html).keys(),
    ];
    expect(names(false)).toEqual(['state', '_csrf', 'connection', 'email', 'password']);
    expect(names(true)).toEqual(['state', '_csrf', 'connection', 'email', 'username', 'password']);
  });

  it('lists the password rules before the first attempt', () => {
    const passwordRules = { minLength: 8, groups: ['lowerCase', 'numbers'], maxIdenticalInRow: 2 } as const;
    const { html } = renderer.render('sign-up', { ...signUp, requiresUsername: false, passwordRules }, branding);
    const rules = parseStrictHtml(html).filter(({ attributes }) => attributes.has('data-check'));
    expect(rules.map(({ text }) => text.replace(/: done$/, ''))).toEqual([
      'At least 8 characters',
      'Lower case letters (a-z)',
      'Numbers (0-9)',
      'No more than 2 identical characters in a row',
    ]);
  });
});

describe('languages', () => {
  it('are added as files: English fills what they lack, and the direction follows', () => {
    const { render } = createPageRenderer({ texts: { en: {}, he: { login: { login: { title: 'שלום' } } } } });
    const { html } = render('login', login, branding, { language: 'he' });
    expect(html).toContain('<html lang="he" dir="rtl">');
    expect(html).toContain('<h1>שלום</h1>');
    expect(html).toContain('Log in to Shop to continue.');
    expect(render('login', login, branding, { language: 'xx' }).html).toContain('<html lang="en" dir="ltr">');
  });

  it('of a region have the texts of their language, and name themselves', () => {
    const { html, headers } = renderer.render('login', login, branding, { language: 'de-CH' });
    expect(html).toContain('<html lang="de-CH" dir="ltr">');
    expect(html).toContain('<h1>Willkommen</h1>');
    expect(headers).toMatchObject({ 'content-language': 'de-CH', vary: 'Accept-Language' });
  });

  it('fill placeholders once, and ignore keys of the wrong type', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder of the texts
    expect(fill('${a} ${b} ${toString}', { a: '${b}', b: 2 })).toBe('${b} 2 ${toString}');
    const wrong = JSON.parse('{"login":{"login":{"title":{}}},"__proto__":{"x":1}}');
    expect(completeTexts(wrong).login.login.title).toBe('Welcome');
  });
});

describe('branding', () => {
  it("comes from the tenant's settings and branding, in the shape of the Management API", () => {
    const settings = {
      friendly_name: 'Northwind',
      picture_url: 'https://a.example/l.png',
      support_email: 'help@a.example',
    };
    const colours = {
      primary: '#123456',
      page_background: { type: 'linear-gradient', start: '#fff', end: '#eee', angle_deg: 35 },
    };
    expect(brandingFrom('acme', settings, { colors: colours, favicon_url: 'https://a.example/i.ico' })).toEqual({
      tenantName: 'Northwind',
      logoUrl: 'https://a.example/l.png',
      faviconUrl: 'https://a.example/i.ico',
      primaryColor: '#123456',
      pageBackground: { start: '#fff', end: '#eee', angleDegrees: 35 },
      supportEmail: 'help@a.example',
    });
    expect(brandingFrom('acme', { friendly_name: 7 })).toEqual({ tenantName: 'acme' });
  });
});

describe('static assets', () => {
  it('are named by their content and may be kept for a year', () => {
    for (const { path, etag, headers } of staticAssets()) {
      expect(path).toMatch(/^\/u\/static\/[a-z]+\.[0-9a-f]{16}\.(?:css|js|svg)$/);
      expect(path).toContain(etag.slice(1, -1));
      expect(headers).toMatchObject({ 'cache-control': 'public, max-age=31536000, immutable', etag });
    }
  });
});

function inputsOf(html: string): Map<string, Record<string, string>> {
  const inputs = parseStrictHtml(html).filter(({ tag }) => tag === 'input');
  return new Map(inputs.map(({ attributes }) => [attributes.get('name') ?? '', Object.fromEntries(attributes)]));
}
