import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brandings, fullBranding, fullModels, pageNames } from '../../../test/login-page-samples.ts';
import { type Element, parseStrictHtml } from '../../../test/strict-html.ts';
import type { Branding } from './branding.ts';
import { createPageRenderer, type PageName } from './page-renderer.ts';

const renderer = createPageRenderer();
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onfocus=alert(1) autofocus x='",
  'javascript:alert(1)',
  ' java\tscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '//evil.example/',
  '/\\evil.example',
  '</style><script>alert(1)</script>',
  '#fff;background:url(//evil.example)',
  '{{ assets }}{% include "layout" %}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder of the texts
  '${companyName}&lt;b&gt;\u0000\u202e',
];
const URL_ATTRIBUTES = ['href', 'src', 'action', 'formaction'];

describe.each(pageNames)('the page %s', (name) => {
  const benign = parseStrictHtml(render(name, fullModels[name]).html);

  it('is well-formed HTML with a language, a title and one heading', () => {
    expect(benign[0]).toMatchObject({ tag: 'html' });
    expect(benign[0]?.attributes.get('lang')).toBe('en');
    expect(one(benign, 'title').text).not.toBe('');
    expect(one(benign, 'h1').text).not.toBe('');
    expect(one(benign, 'main')).toBeDefined();
  });

  it('has a label for every input, a name for every button and no id twice', () => {
    const labelled = new Set(
      benign.filter(({ tag }) => tag === 'label').map(({ attributes }) => attributes.get('for')),
    );
    const ids = benign.flatMap(({ attributes }) => attributes.get('id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { tag, attributes, text } of benign) {
      if (tag === 'input' && attributes.get('type') !== 'hidden') {
        expect(labelled).toContain(attributes.get('id'));
        for (const id of attributes.get('aria-describedby')?.split(' ') ?? []) expect(ids).toContain(id);
      }
      if (tag === 'button' || tag === 'a') expect(text.trim() || attributes.get('aria-label')).toBeTruthy();
      if (tag === 'img') expect(attributes.get('alt')).toBeTruthy();
    }
  });

  it.each(HOSTILE)('shows %j in any variable as text, or not at all', (payload) => {
    const scripts = benign.filter(({ tag }) => tag === 'script').map(describeElement);
    const models = replaceEachString(fullModels[name], payload);
    const rendered = models.flatMap((model) => tryRender(name, model) ?? []);
    expect(rendered.length).toBeGreaterThanOrEqual(models.length / 2);
    // All pages share what a tenant's look becomes: each value meets a third of the payloads here, and the others elsewhere.
    const turn = pageNames.indexOf(name) + HOSTILE.indexOf(payload);
    const branded = brandings
      .flatMap((full) => replaceEachString(full, payload))
      .filter((_, index) => (index + turn) % 3 === 0)
      .map((branding) => render(name, fullModels[name], branding));
    // Many a value is refused without a trace: pages that are the same are looked at once.
    for (const html of new Set([...rendered, ...branded].map(({ html }) => html)))
      expectHarmless(html, payload, scripts);
  });

  it('is never stored, never framed and allows no inline code but its own', () => {
    const { html, headers } = render(name, fullModels[name]);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|\*|http:/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['referrer-policy']).toBe(name === 'form-post' ? 'strict-origin' : 'same-origin');
    const inline = parseStrictHtml(html).filter(
      ({ tag, attributes }) => tag === 'style' || (tag === 'script' && !attributes.has('src')),
    );
    for (const { text } of inline) {
      expect(policy).toContain(`'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    }
  });
});

describe('the templates', () => {
  it('have no raw output and no unquoted attribute', () => {
    const folder = new URL('./', import.meta.url);
    for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.liquid'))) {
      const source = readFileSync(new URL(file, folder), 'utf8');
      expect(source, file).not.toMatch(/\|\s*raw|=\s*\{\{|\son\w+=|style=/);
    }
  });
});

function render<Name extends PageName>(name: Name, model: unknown, branding: unknown = fullBranding) {
  return renderer.render(name, model as (typeof fullModels)[Name], branding as Branding);
}

/** A model whose key (`reason`, an error code) is unknown may be refused; a form_post to such an address must be. */
function tryRender(name: PageName, model: unknown) {
  try {
    return render(name, model);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return undefined;
  }
}

function expectHarmless(html: string, payload: string, scripts: readonly string[]): void {
  if (/[<"']/.test(payload)) expect(html).not.toContain(payload);
  const elements = parseStrictHtml(html);
  expect(elements.filter(({ tag }) => tag === 'script').map(describeElement)).toEqual(scripts);
  for (const { tag, attributes, text } of elements) {
    if (tag === 'style') {
      expect(text).not.toMatch(/evil|[<>"']|javascript/i);
      for (const [, url] of text.matchAll(/url\(([^)]*)\)/g))
        expect(url).toMatch(/^https:\/\/(?:fonts|images)\.example\/[\w.]+$/);
    }
    for (const [attribute, value] of attributes) {
      expect(attribute).not.toMatch(/^on|^style$/);
      if (!URL_ATTRIBUTES.includes(attribute)) continue;
      expect(value).toMatch(/^(?:https?:\/\/[a-z]|\/(?![/\\])|mailto:[^?&%]+$|data:image\/|$)/);
      expect(new URL(value, 'https://tenant.example').host).not.toBe('evil.example');
    }
  }
}

/** One copy for each string in it, keys of records that anyone may name included, with that string replaced. */
function replaceEachString(value: unknown, payload: string): unknown[] {
  if (typeof value === 'string') return [payload];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      replaceEachString(item, payload).map((changed) => value.with(index, changed)),
    );
  }
  if (typeof value !== 'object' || value === null) return [];
  const copies = Object.entries(value).flatMap(([key, item]) =>
    replaceEachString(item, payload).map((changed) => ({ ...value, [key]: changed })),
  );
  return 'code' in value ? [...copies, { ...value, [payload]: 'x' }] : copies;
}

function describeElement({ attributes, text }: Element): string {
  return JSON.stringify([...attributes, text]);
}

function one(elements: readonly Element[], tag: string): Element {
  const found = elements.filter((element) => element.tag === tag);
  expect(found).toHaveLength(1);
  return found[0] ?? { tag, attributes: new Map(), text: '' };
}
