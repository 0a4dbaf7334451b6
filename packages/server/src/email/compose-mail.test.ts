import { describe, expect, it } from 'vitest';
import { parseStrictHtml } from '../../test/strict-html.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { createMailComposer, type MailToCompose } from './compose-mail.ts';
import { mailLanguage } from './mail-language.ts';
import { mailLanguages, mailTexts } from './mail-texts.ts';

const URL = 'https://id.example/u/reset-verify?ticket=0123456789abcdefghijklmnopqrstuv#';

function tenantWith(settings: Readonly<Record<string, unknown>>): Tenant {
  return { tenantId: 'acme', environment: 'production', isDefault: false, origins: ['https://id.example'], settings };
}

async function compose(
  settings: Readonly<Record<string, unknown>>,
  change: Partial<MailToCompose> = {},
  name = 'Shop',
) {
  const prepare = createMailComposer({
    brandOf: async () => ({
      tenantName: String(settings.friendly_name ?? 'Acme'),
      logoUrl: String(settings.picture_url ?? ''),
      primaryColor: String(settings.colour ?? '#0b6b62'),
    }),
    canonicalOrigin: () => 'https://id.example',
    now: () => new Date(0),
  });
  const composeMail = await prepare(tenantWith(settings));
  return composeMail({
    template: 'reset_email',
    to: 'ada@example.org',
    language: 'en',
    about: {
      user: { email: 'ada@example.org', emailVerified: false, name: 'Ada' },
      connection: { name: 'Users' },
      client: { clientId: 'x', name, callbacks: [], metadata: {} },
      url: URL,
      lifetimeSeconds: 432_000,
    },
    ...change,
  });
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover=alert(1) x='",
  '{{ texts }}{% include "x" %}',
  'javascript:alert(1)',
  '</style><script>alert(1)</script>',
];

describe('a mail', () => {
  it('says in both parts what it is for, with the link and how long it works', async () => {
    const mail = await compose({ friendly_name: 'Northwind' });
    expect(mail).toMatchObject({
      to: 'ada@example.org',
      from: '"Northwind" <no-reply@id.example>',
      subject: 'Reset your password for Northwind',
    });
    for (const part of [mail.html, mail.text]) {
      expect(part).toContain(URL);
      expect(part).toContain('5 days');
    }
  });

  it.each(HOSTILE)('shows %j in any name as text, or not at all (attack R3)', async (payload) => {
    const benign = parseStrictHtml((await compose({})).html).filter(({ tag }) => tag === 'script' || tag === 'img');
    expect(benign).toEqual([]);
    const mails = [
      await compose({ friendly_name: payload }),
      await compose({}, {}, payload),
      await compose({ support_email: payload, support_url: payload }),
      await compose({ picture_url: payload, colour: payload }),
    ];
    for (const { html } of mails) {
      if (/[<"']/.test(payload)) expect(html).not.toContain(payload);
      for (const { tag, attributes } of parseStrictHtml(html)) {
        expect(['script', 'img']).not.toContain(tag);
        for (const [attribute, value] of attributes) {
          expect(attribute).not.toMatch(/^on/);
          if (attribute === 'href') expect(value).toBe(URL);
        }
      }
    }
  });

  it('has one line in each header, whatever a name holds (attack R3)', async () => {
    for (const name of [
      'Shop\r\nBcc: all@evil.example',
      'Shop\u2028Bcc: x',
      'Shop\0\n',
      '"Shop" <x@evil.example>,\r\n',
    ]) {
      const mail = await compose({ friendly_name: name }, {}, name);
      for (const header of [mail.subject, mail.from, mail.to]) expect(header).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(mail.from).toMatch(/^"(?:[^"\\]|\\.)*" <no-reply@id\.example>$/);
    }
  });

  it.each([
    'a@example.org\r\nBcc: b@evil.example',
    'a@example.org, b@evil.example',
    '<a@example.org>',
    'a b@example.org',
    'a',
  ])('goes to no address like %j', async (to) => {
    await expect(compose({}, { to })).rejects.toMatchObject({ code: 'invalid_email' });
  });
});

describe('the texts of the mails', () => {
  const english = flat(mailTexts('en'));

  it.each([...mailLanguages])('have every key and placeholder in %s', (language) => {
    const texts = flat(mailTexts(language));
    expect(texts.map(([key, text]) => [key, placeholders(text)])).toEqual(
      english.map(([key, text]) => [key, placeholders(text)]),
    );
  });
});

describe('the language of a mail', () => {
  it.each([
    [['en', 'de'], {}, undefined, 'en'],
    [['en', 'de'], {}, 'de-CH fr', 'de'],
    [['en', 'de'], { 'accept-language': 'fr, de;q=0.9' }, undefined, 'de'],
    [['en', 'es'], { 'x-request-language': 'es', 'accept-language': 'en' }, undefined, 'es'],
    [['pt', 'fr'], { 'accept-language': 'pt' }, undefined, 'fr'],
    [['pt'], { 'accept-language': 'pt' }, undefined, 'en'],
  ])('of a tenant with %j, asked with %j and ui_locales %j, is %s', (enabled_locales, headers, uiLocales, language) => {
    expect(mailLanguage(tenantWith({ enabled_locales }), headers, uiLocales)).toBe(language);
  });
});

function flat(value: object, path = ''): [string, string][] {
  return Object.entries(value).flatMap(([key, item]): [string, string][] =>
    typeof item === 'string' ? [[`${path}${key}`, item]] : flat(Object(item), `${path}${key}/`),
  );
}

function placeholders(text: string): string[] {
  return (text.match(/\$\{\w+\}/g) ?? []).sort();
}
