import { isObject, type Json, objectOf } from '../../kit/json-values.ts';
import { CARD, DEFAULT_PRIMARY, parseColour, type ThemeColours, themeColours } from './colour.ts';
import { cssFont } from './css-url.ts';
import { type PageTheme, themeCss } from './page-theme.ts';
import { imageUrl, link, mailLink } from './safe-url.ts';

/** How a tenant wants its pages to look. Nothing in it is trusted: the renderer checks each value once more. */
export interface Branding {
  readonly tenantName: string;
  readonly logoUrl?: string;
  readonly faviconUrl?: string;
  /** `#rgb` or `#rrggbb`. */
  readonly primaryColor?: string;
  /** A colour, or Auth0's gradient. It shows in the light theme; the dark theme has its own. */
  readonly pageBackground?: string | PageGradient;
  readonly fontUrl?: string;
  readonly supportUrl?: string;
  readonly supportEmail?: string;
  /** Where a tenant has one, its colours, borders, fonts and background replace the others. */
  readonly theme?: PageTheme;
}

export interface PageGradient {
  readonly start: string;
  readonly end: string;
  readonly angleDegrees: number;
}

/** What the templates get: checked, and with every default filled in. */
export interface BrandView {
  readonly tenantName: string;
  readonly logoUrl: string | null;
  readonly faviconUrl: string | null;
  /** Stands in for a missing logo. */
  readonly initial: string;
  readonly supportUrl: string | null;
  readonly css: string;
  /** Where the font comes from; the page's policy allows it. */
  readonly fontOrigin: string | null;
}

/** From /api/v2/tenants/settings and, where the tenant has one, the body of /api/v2/branding. */
export function brandingFrom(
  tenantId: string,
  settings: Readonly<Record<string, unknown>>,
  branding: Json = {},
  theme?: PageTheme,
): Branding {
  const colors = objectOf(branding.colors);
  const widgetLogo = textIn(objectOf(theme?.widget), 'logo_url');
  const font = textIn(objectOf(theme?.fonts), 'font_url') ?? textIn(objectOf(branding.font), 'url');
  const background = gradientFrom(colors.page_background) ?? textIn(colors, 'page_background');
  return {
    tenantName: textIn(settings, 'friendly_name') ?? tenantId,
    ...defined('logoUrl', widgetLogo ?? textIn(branding, 'logo_url') ?? textIn(settings, 'picture_url')),
    ...defined('faviconUrl', textIn(branding, 'favicon_url')),
    ...defined('primaryColor', textIn(colors, 'primary')),
    ...defined('fontUrl', font),
    ...defined('supportUrl', textIn(settings, 'support_url')),
    ...defined('supportEmail', textIn(settings, 'support_email')),
    ...(background === undefined ? {} : { pageBackground: background }),
    ...(theme && { theme }),
  };
}

/** Finding readable colours takes 0.1 ms; the pages of a tenant share them, as long as its branding is the same. */
const views = new WeakMap<Branding, BrandView>();

export function viewBranding(branding: Branding): BrandView {
  const known = views.get(branding);
  if (known) return known;
  const tenantName = branding.tenantName.slice(0, 120);
  const font = cssFont(branding.fontUrl);
  const view = {
    tenantName,
    logoUrl: imageUrl(branding.logoUrl) ?? null,
    faviconUrl: imageUrl(branding.faviconUrl) ?? null,
    initial: (/[\p{L}\p{N}]/u.exec(tenantName)?.[0] ?? '·').toUpperCase(),
    supportUrl: link(branding.supportUrl) ?? mailLink(branding.supportEmail) ?? null,
    css: (font ? `${font.rule}:root{--brand-font:brand}` : '') + brandCss(branding),
    fontOrigin: font?.origin ?? null,
  };
  views.set(branding, view);
  return view;
}

/** Only colours that were parsed, rounded numbers, words of ours and escaped addresses get in here. */
function brandCss(branding: Branding): string {
  if (branding.theme) {
    const { shape, light, dark, isDark } = themeCss(branding.theme);
    if (isDark) return `:root{${shape};${light};color-scheme:dark}`;
    const inLight = `@media (prefers-color-scheme:light){:root{${light}}}`;
    return `:root{${shape}}${inLight}@media (prefers-color-scheme:dark){:root{${dark}}}`;
  }
  const primary = parseColour(branding.primaryColor) ?? DEFAULT_PRIMARY;
  const background = backgroundCss(branding.pageBackground);
  const light =
    variables(themeColours(primary, CARD.light)) + (background === undefined ? '' : `;--page:${background}`);
  const dark = variables(themeColours(primary, CARD.dark));
  return `:root{${light}}@media (prefers-color-scheme:dark){:root{${dark};--page:var(--page-dark)}}`;
}

function variables({ accent, accentHover, onAccent, link: text }: ThemeColours): string {
  return `--accent:${accent};--accent-hover:${accentHover};--on-accent:${onAccent};--link:${text}`;
}

function backgroundCss(background: string | PageGradient | undefined): string | undefined {
  if (typeof background !== 'object') return parseColour(background);
  const start = parseColour(background.start);
  const end = parseColour(background.end);
  const angle = Number(background.angleDegrees);
  if (start === undefined || end === undefined || !Number.isFinite(angle)) return undefined;
  return `linear-gradient(${Math.round(angle) % 360}deg,${start},${end})`;
}

function gradientFrom(value: unknown): PageGradient | undefined {
  if (!isObject(value)) return undefined;
  const start = textIn(value, 'start');
  const end = textIn(value, 'end');
  if (start === undefined || end === undefined) return undefined;
  return { start, end, angleDegrees: typeof value.angle_deg === 'number' ? value.angle_deg : 0 };
}

function textIn(record: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = record[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function defined<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: string });
}
