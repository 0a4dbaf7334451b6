import { readdirSync, readFileSync } from 'node:fs';
import { Liquid } from 'liquidjs';
import { type Branding, viewBranding } from './branding.ts';
import { consentPage } from './consent-page.ts';
import { errorPage } from './error-page.ts';
import { formPostPage } from './form-post-page.ts';
import { loggedOutPage } from './logged-out-page.ts';
import { loginPage } from './login-page.ts';
import type { Page } from './page.ts';
import { pageHeaders } from './page-headers.ts';
import { completeTexts, directionOf, fillScreen, readTexts, type TextsByLanguage } from './page-texts.ts';
import { selectAccountPage } from './select-account-page.ts';
import { signUpPage } from './sign-up-page.ts';
import { assetPaths } from './static-assets.ts';

/** Every page. A new one is a file of its own, a template and a line here. */
const pages = {
  login: loginPage,
  'sign-up': signUpPage,
  'select-account': selectAccountPage,
  consent: consentPage,
  error: errorPage,
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

export interface PageRenderer {
  render<Name extends PageName>(
    name: Name,
    model: PageModelByName[Name],
    branding: Branding,
    language?: string,
  ): RenderedPage;
  /** The languages that have a file. */
  readonly languages: readonly string[];
}

const FOLDER = new URL('./', import.meta.url);
const DEFAULT_LANGUAGE = 'en';

/** Reads templates and texts once; rendering touches no file. */
export function createPageRenderer({ texts = readTexts() }: { texts?: TextsByLanguage } = {}): PageRenderer {
  const sources = readTemplates();
  const liquid = createEngine(sources);
  const templates = new Map(Object.entries(sources).map(([name, source]) => [name, liquid.parse(source)]));
  const textsByLanguage = new Map(Object.entries(texts).map(([language, own]) => [language, completeTexts(own)]));
  const english = completeTexts(texts[DEFAULT_LANGUAGE]);

  function render<Name extends PageName>(
    name: Name,
    model: PageModelByName[Name],
    branding: Branding,
    language = DEFAULT_LANGUAGE,
  ): RenderedPage {
    const own = textsByLanguage.get(language) ?? textsByLanguage.get(language.split('-', 1)[0] ?? '');
    const shown = own === undefined ? DEFAULT_LANGUAGE : language;
    // TypeScript does not see that the page and the model belong to the same name.
    const page = pages[name] as Page<PageModelByName[Name]>;
    const brand = viewBranding(branding);
    const view = page.view(model, own ?? english, brand);
    const html = liquid.renderSync(templates.get(page.template) ?? [], {
      ...view,
      brand,
      common: fillScreen((own ?? english).common.common, { companyName: brand.tenantName }),
      assets: assetPaths,
      language: shown,
      direction: directionOf(shown),
    });
    return { html, headers: pageHeaders(page.policy, brand.css, shown) };
  }

  return { render, languages: [...textsByLanguage.keys()] };
}

function createEngine(templates: Record<string, string>): Liquid {
  return new Liquid({
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
}

function readTemplates(): Record<string, string> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.liquid'));
  return Object.fromEntries(
    files.map((file) => [file.slice(0, -'.liquid'.length), readFileSync(new URL(file, FOLDER), 'utf8')]),
  );
}
