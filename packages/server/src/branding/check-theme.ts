import { type Json, objectOf } from '../kit/json-values.ts';
import { brandingErrors } from './branding.ts';

const LONGEST_URL = 2_048;

/** What the catalogue leaves open: the addresses of a theme are https, or empty. */
export function checkTheme(theme: Json): void {
  checkUrl(objectOf(theme.fonts).font_url, 'fonts.font_url');
  checkUrl(objectOf(theme.page_background).background_image_url, 'page_background.background_image_url');
  checkUrl(objectOf(theme.widget).logo_url, 'widget.logo_url');
}

function checkUrl(value: unknown, property: string): void {
  if (value === undefined || value === '') return;
  const isHttps = typeof value === 'string' && value.length <= LONGEST_URL && isHttpsUrl(value);
  if (!isHttps) throw brandingErrors.invalid({ reason: 'No https address', property });
}

function isHttpsUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}
