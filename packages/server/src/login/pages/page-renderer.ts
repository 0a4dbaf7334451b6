import { readdirSync, readFileSync } from 'node:fs';
import { type Context, type Emitter, Liquid, type TagToken } from 'liquidjs';
import type { TenantTemplate } from '../../branding/page-template.ts';
import type { Json } from '../../kit/json-values.ts';
import { type Branding, viewBranding } from './branding.ts';
import { consentPage } from './consent-page.ts';
import { ownVariables, withCustomTexts } from './custom-texts.ts';
import { deviceCodePage } from './device-code-page.ts';
import { deviceConfirmationPage } from './device-confirmation-page.ts';
import { deviceDonePage } from './device-done-page.ts';
import { errorPage } from './error-page.ts';
import { formPostPage } from './form-post-page.ts';
import { logOutPage } from './log-out-page.ts';
import { loggedOutPage } from './logged-out-page.ts';
import { loginPage } from './login-page.ts';
import { logoutAbortedPage } from './logout-aborted-page.ts';
import type { Page } from './page.ts';
import { pageHeaders } from './page-headers.ts';
import { completeTexts, directionOf, fillScreen, readTexts, type Texts, type TextsByLanguage } from './page-texts.ts';
import { recoveryResultPage } from './recovery-result-page.ts';
import { resetPasswordPage } from './reset-password-page.ts';
import { resetRequestPage } from './reset-request-page.ts';
import { resetSentPage } from './reset-sent-page.ts';
import { selectAccountPage } from './select-account-page.ts';
import { signUpPage } from './sign-up-page.ts';
import { assetPaths } from './static-assets.ts';

/** Every page. A new one is a file of its own, a template and a line here. */
const pages = {
  login: loginPage,
  'sign-up': signUpPage,
  'select-account': selectAccountPage,
  consent: consentPage,
  'reset-request': resetRequestPage,
  'reset-sent': resetSentPage,
  'reset-password': resetPasswordPage,
  'recovery-result': recoveryResultPage,
  'device-code': deviceCodePage,
  'device-confirmation': deviceConfirmationPage,
  'device-done': deviceDonePage,
  error: errorPage,
  'log-out': logOutPage,
  'logout-aborted': logoutAbortedPage,
  'logged-out': loggedOutPage,
  'form-post': formPostPage,
};

export type PageName = keyof typeof pages;
export type PageModelByName = { [Name in PageName]: (typeof pages)[Name] extends Page<infer Model> ? Model : never };

export interface RenderedPage {
  readonly html: string;
  /** All of them belong to the page; the caller adds the status. */
  readonly headers: Record<string, string>;
}

/** What a tenant adds to a page besides its brand. */
export interface Presentation {
  /** English when left out. */
  readonly language?: string;
  /** Our texts in this language with the tenant's over them. */
  readonly texts?: Texts;
  /** What the tenant wrote itself, `var-` texts included. */
  readonly customTexts?: Json;
  readonly template?: PageTemplate | undefined;
  /** By prompt, screen and slot, `login/login/form-content-start`. */
  readonly partials?: ReadonlyMap<string, TenantTemplate>;
  /** What page templates and partials see besides the page: application, tenant, organization … */
  readonly variables?: Json;
}

export interface PageTemplate extends TenantTemplate {
  readonly hasTitle: boolean;
}

export interface PageRenderer {
  render<Name extends PageName>(
    name: Name,
    model: PageModelByName[Name],
    branding: Branding,
    presentation?: Presentation,
  ): RenderedPage;
  /** Our texts in a language, those of the tenant over them. */
  textsIn(language: string, custom: Json): Texts;
  /** The languages that have a file. */
  readonly languages: readonly string[];
}

const FOLDER = new URL('./', import.meta.url);
const DEFAULT_LANGUAGE = 'en';
const NO_PARTIALS: ReadonlyMap<string, TenantTemplate> = new Map();

/** Reads templates and texts once; rendering touches no file. */
export function createPageRenderer({ texts = readTexts() }: { texts?: TextsByLanguage } = {}): PageRenderer {
  const sources = readTemplates();
  const liquid = createEngine(sources);
  const templates = new Map(Object.entries(sources).map(([name, source]) => [name, liquid.parse(source)]));
  const complete = new Map(Object.entries(texts).map(([language, own]) => [language, completeTexts(own)]));
  const english = completeTexts(texts[DEFAULT_LANGUAGE]);

  /** `de-CH` has the texts of `de`. */
  const fileOf = (language: string) => [language, language.split('-', 1)[0] ?? ''].find((tag) => complete.has(tag));

  function render<Name extends PageName>(
    name: Name,
    model: PageModelByName[Name],
    branding: Branding,
    presentation: Presentation = {},
  ): RenderedPage {
    const { language = DEFAULT_LANGUAGE, template, partials = NO_PARTIALS, customTexts = {} } = presentation;
    const file = fileOf(language);
    const shown = file === undefined && presentation.texts === undefined ? DEFAULT_LANGUAGE : language;
    const pageTexts = presentation.texts ?? complete.get(file ?? '') ?? english;
    // TypeScript does not see that the page and the model belong to the same name.
    const page = pages[name] as Page<PageModelByName[Name]>;
    const brand = viewBranding(branding);
    const view = page.view(model, pageTexts, brand);
    const [prompt = name, screen = name] = page.screen ?? [];
    const variables = {
      ...presentation.variables,
      locale: shown,
      dir: directionOf(shown),
      prompt: {
        name: prompt,
        screen: { name: screen, texts: { ...Object(view.screen), ...ownVariables(customTexts, prompt, screen) } },
      },
    };
    let hasPartials = false;
    const partialAt = (slot: string) => {
      const html = partials.get(`${prompt}/${screen}/${slot}`)?.render(variables) ?? '';
      hasPartials ||= html !== '';
      return html;
    };
    const scope = {
      ...view,
      brand,
      common: fillScreen(pageTexts.common.common, { companyName: brand.tenantName }),
      assets: assetPaths,
      language: shown,
      direction: directionOf(shown),
      hasOwnTitle: template?.hasTitle ?? false,
    };
    const draw = (part: 'head' | 'widget' | null): string =>
      liquid.renderSync(
        templates.get(page.template) ?? [],
        { ...scope, part },
        { globals: { [PARTIAL_AT]: partialAt } },
      );
    const framed = page.screen && template?.render(variables, { head: draw('head'), widget: draw('widget') });
    const html = framed ?? draw(null);
    const style = { css: brand.css, fontOrigin: brand.fontOrigin, isTenants: framed !== undefined || hasPartials };
    return { html, headers: pageHeaders(page.policy, style, shown) };
  }

  return {
    render,
    textsIn: (language, custom) => withCustomTexts(texts[fileOf(language) ?? DEFAULT_LANGUAGE], custom),
    languages: [...complete.keys()],
  };
}

const PARTIAL_AT = ' partialAt';

function createEngine(templates: Record<string, string>): Liquid {
  const engine = new Liquid({
    // Layouts and partials come from here, and nowhere else.
    templates,
    cache: true,
    outputEscape: 'escape',
    ownPropertyOnly: true,
    strictVariables: true,
    strictFilters: true,
    lenientIf: true,
    parseLimit: 200_000,
    renderLimit: 1_000,
    memoryLimit: 5_000_000,
  });
  // `{% partial form-content-start %}`: what the tenant has for this place, as HTML.
  engine.registerTag('partial', {
    parse({ args }: TagToken) {
      Object.assign(this, { slot: args.trim() });
    },
    render(context: Context, emitter: Emitter) {
      const partialAt: unknown = Object(context.globals)[PARTIAL_AT];
      if (typeof partialAt === 'function') emitter.write(String(partialAt(String(Object(this).slot))));
    },
  });
  return engine;
}

function readTemplates(): Record<string, string> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.liquid'));
  return Object.fromEntries(
    files.map((file) => [file.slice(0, -'.liquid'.length), readFileSync(new URL(file, FOLDER), 'utf8')]),
  );
}
