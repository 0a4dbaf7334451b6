import { type Context, type Emitter, Liquid, type TagToken, type Template } from 'liquidjs';
import { randomSecret } from '../kit/ids.ts';
import { brandingErrors } from './branding.ts';

/** A template of a tenant: its page around our form, or a part of a form. */
export interface TenantTemplate {
  /**
   * The HTML, or undefined where it can't be had within the limits; after some failures it is not tried again. Every
   * value is escaped, whatever filters it went through.
   */
  render(variables: Readonly<Record<string, unknown>>, ours?: OurParts): string | undefined;
}

/** What stands for auth0:head and auth0:widget: HTML of our own. */
export interface OurParts {
  readonly head: string;
  readonly widget: string;
}

export const LONGEST_TEMPLATE = 100_000;
export const LONGEST_PARTIAL = 10_000;
/** A page takes half a millisecond; who needs a hundred times as much loops without an end. */
const RENDER_MILLISECONDS = 50;
/** LiquidJS looks at the clock between steps: one filter over a list of 60,000 takes 200 ms and ends in time. */
const MOST_CPU_MICROSECONDS = 1_000 * RENDER_MILLISECONDS;
/** A busy machine makes any page slow once. */
const MOST_FAILURES = 3;
/** Counted by LiquidJS in characters and items. */
const RENDER_MEMORY = 500_000;
const LONGEST_OUTPUT = 1_000_000;

const liquid = createEngine();

/** A template that parses; undefined where it does not. */
export function parseTenantTemplate(source: string): TenantTemplate | undefined {
  try {
    return toTemplate(liquid.parse(source));
  } catch {
    return undefined;
  }
}

/** Refuses a page template without its two tags, one that does not parse, and one that is too slow or too large. */
export function checkPageTemplate(source: string): void {
  for (const tag of ['auth0:head', 'auth0:widget']) {
    if (!new RegExp(`\\{%-?\\s*${tag}\\s*-?%\\}`).test(source))
      throw brandingErrors.invalid({ reason: `Missing required tag ${tag}`, property: 'template' });
  }
  const rendered = checkTemplate(source, LONGEST_TEMPLATE, 'template', { head: PROBE.head, widget: PROBE.widget });
  if (!rendered.includes(PROBE.head) || !rendered.includes(PROBE.widget))
    throw brandingErrors.invalid({
      reason: 'It does not always show auth0:head and auth0:widget',
      property: 'template',
    });
}

export function checkPartial(source: string, property: string): void {
  checkTemplate(source, LONGEST_PARTIAL, property);
}

const PROBE = { head: '<!--the head-->', widget: '<!--the widget-->' };

function checkTemplate(source: string, longest: number, property: string, ours?: OurParts): string {
  const refuse = (reason: string) => brandingErrors.invalid({ reason: reason.slice(0, 300), property });
  if (source.length > longest) throw refuse(`String is too long (${source.length} chars), maximum ${longest}`);
  let templates: Template[];
  try {
    templates = liquid.parse(source);
    return renderWithin(templates, {}, ours);
  } catch (error) {
    throw refuse(`Invalid template: ${error instanceof Error ? error.message.split('\n', 1)[0] : 'unreadable'}`);
  }
}

function toTemplate(templates: Template[]): TenantTemplate {
  let failures = 0;
  return {
    render(variables, ours) {
      if (failures >= MOST_FAILURES) return undefined;
      try {
        const html = renderWithin(templates, variables, ours);
        failures = 0;
        return html;
      } catch {
        failures++;
        return undefined;
      }
    },
  };
}

function renderWithin(templates: Template[], variables: Readonly<Record<string, unknown>>, ours?: OurParts): string {
  const globals = { [OURS]: ours === undefined ? {} : { 'auth0:head': PLACE.head, 'auth0:widget': PLACE.widget } };
  const begin = process.threadCpuUsage();
  const own = String(liquid.renderSync(templates, { ...variables }, { globals }));
  const { user, system } = process.threadCpuUsage(begin);
  if (user + system > MOST_CPU_MICROSECONDS) throw new Error('It takes too long.');
  if (STEERS_FORMS.test(own)) throw new Error('It has a form, or a button that sends ours elsewhere.');
  const html = ours ? own.replace(PLACE.head, () => ours.head).replace(PLACE.widget, () => ours.widget) : own;
  if (html.length > LONGEST_OUTPUT) throw new Error('The page is too large.');
  return html;
}

/**
 * What would take the password of our form elsewhere, or into an address. The policy can't say it (decision 0009), and names of
 * tags and attributes have no other spelling. Looked for in what was rendered: Liquid can put a word together.
 */
const STEERS_FORMS = /<\/?form(?![a-z0-9-])|form(?:action|method|enctype|target)/i;

/** Our HTML comes in last, so that what a tenant wrote is looked at without it. */
const SECRET = randomSecret();
const PLACE: OurParts = { head: `<!--head ${SECRET}-->`, widget: `<!--widget ${SECRET}-->` };

/** Not a name that Liquid can write: templates reach our HTML through the tags alone. */
const OURS = ' ours';

function createEngine(): Liquid {
  const engine = new Liquid({
    // Nothing can be included: no file, and no template of ours.
    templates: {},
    outputEscape: 'escape',
    ownPropertyOnly: true,
    strictVariables: false,
    strictFilters: true,
    lenientIf: true,
    parseLimit: LONGEST_TEMPLATE,
    renderLimit: RENDER_MILLISECONDS,
    memoryLimit: RENDER_MEMORY,
  });
  const same = (value: unknown) => value;
  // Values are escaped once, at the end, and no filter takes that away.
  for (const filter of ['raw', 'escape', 'escape_once', 'h']) engine.registerFilter(filter, same);
  // `{%- auth0:head -%}`: to LiquidJS a tag `auth0` with arguments.
  engine.registerTag('auth0', {
    parse({ args }: TagToken) {
      const part = `auth0${args.trim()}`;
      if (part !== 'auth0:head' && part !== 'auth0:widget') throw new Error(`unknown tag ${part}`);
      Object.assign(this, { part });
    },
    render(context: Context, emitter: Emitter) {
      const ours: Record<string, unknown> = Object(Object(context.globals)[OURS]);
      const part = String(Object(this).part);
      const html = ours[part];
      // A second one would give its ids to two elements.
      ours[part] = '';
      if (typeof html === 'string') emitter.write(html);
    },
  });
  return engine;
}
