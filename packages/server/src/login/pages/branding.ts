import { LRUCache } from 'lru-cache';
import { parseColour, type ThemeColours, themeColours } from './colour.ts';
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
  readonly supportUrl?: string;
  readonly supportEmail?: string;
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
}

export const DEFAULT_PRIMARY = '#0b6b62';
/** The card of each theme; page.css paints it in the same colours. */
export const CARD = { light: '#ffffff', dark: '#171a1f' } as const;

/** From /api/v2/tenants/settings and, where the tenant has one, the body of /api/v2/branding. */
export function brandingFrom(
  tenantId: string,
  settings: Readonly<Record<string, unknown>>,
  branding: Readonly<Record<string, unknown>> = {},
): Branding {
  const colors = isRecord(branding.colors) ? branding.colors : {};
  const background = gradientFrom(colors.page_background) ?? textIn(colors, 'page_background');
  return {
    tenantName: textIn(settings, 'friendly_name') ?? tenantId,
    ...defined('logoUrl', textIn(branding, 'logo_url') ?? textIn(settings, 'picture_url')),
    ...defined('faviconUrl', textIn(branding, 'favicon_url')),
    ...defined('primaryColor', textIn(colors, 'primary')),
    ...defined('supportUrl', textIn(settings, 'support_url')),
    ...defined('supportEmail', textIn(settings, 'support_email')),
    ...(background === undefined ? {} : { pageBackground: background }),
  };
}

export function viewBranding(branding: Branding): BrandView {
  const tenantName = branding.tenantName.slice(0, 120);
  return {
    tenantName,
    logoUrl: imageUrl(branding.logoUrl) ?? null,
    faviconUrl: imageUrl(branding.faviconUrl) ?? null,
    initial: (/[\p{L}\p{N}]/u.exec(tenantName)?.[0] ?? '·').toUpperCase(),
    supportUrl: link(branding.supportUrl) ?? mailLink(branding.supportEmail) ?? null,
    css: brandCss(branding),
  };
}

/** Finding readable colours takes 0.1 ms; the pages of a tenant share them. */
const cssByColours = new LRUCache<string, string>({ max: 1_000 });

function brandCss(branding: Branding): string {
  const key = JSON.stringify([branding.primaryColor, branding.pageBackground]);
  const known = cssByColours.get(key);
  if (known !== undefined) return known;
  const css = makeBrandCss(branding);
  if (key.length <= 200) cssByColours.set(key, css);
  return css;
}

/** Only colours that were parsed and rounded numbers get in here. */
function makeBrandCss(branding: Branding): string {
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
  if (!isRecord(value)) return undefined;
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
