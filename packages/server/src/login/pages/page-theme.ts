import { flagOf, type Json, numberOf, objectOf, textOf } from '../../kit/json-values.ts';
import { CARD, contrast, mix, parseColour, readable, TEXT_CONTRAST, themeColours } from './colour.ts';
import { cssImage } from './css-url.ts';

/** A theme of /api/v2/branding/themes. Nothing in it is trusted: colours are parsed, numbers bounded, words compared. */
export type PageTheme = Json;

export interface ThemeCss {
  /** Declarations of both colour schemes. */
  readonly shape: string;
  readonly light: string;
  /** The theme itself where it is a dark one, else its brand on our dark card. */
  readonly dark: string;
  readonly isDark: boolean;
}

export function themeCss(theme: PageTheme): ThemeCss {
  const colours = coloursOf(theme);
  const isDark = contrast(colours.card, '#ffffff') > contrast(colours.card, '#000000');
  const own = declare(colourVariables(colours));
  const derived = themeColours(colours.button, CARD.dark);
  const dark = declare({
    accent: derived.accent,
    'accent-hover': derived.accentHover,
    'on-accent': derived.onAccent,
    link: derived.link,
    page: 'var(--page-dark)',
  });
  return { shape: declare(shapeVariables(theme)), light: own, dark: isDark ? own : dark, isDark };
}

function coloursOf(theme: PageTheme) {
  const given = objectOf(theme.colors);
  const page = parseColour(objectOf(theme.page_background).background_color) ?? '#f3f5f4';
  const card = parseColour(given.widget_background, page) ?? CARD.light;
  const of = (name: string, otherwise: string, behind = card) => parseColour(given[name], behind) ?? otherwise;
  const field = of('input_background', card);
  return {
    page,
    card,
    field,
    button: of('primary_button', '#0b6b62'),
    label: of('primary_button_label', '#ffffff'),
    links: of('links_focused_components', of('primary_button', '#0b6b62')),
    header: of('header', '#14181d'),
    body: of('body_text', '#57606b'),
    labels: of('input_labels_placeholders', '#14181d'),
    filled: of('input_filled_text', '#14181d', field),
    inputBorder: of('input_border', '#a0a7b0'),
    edge: of('widget_border', '#e6e9ec'),
    error: of('error', '#b3261e'),
    success: of('success', '#1a7446'),
    icons: of('icons', '#57606b'),
    secondaryBorder: of('secondary_button_border', '#ccd2d9'),
    secondaryLabel: of('secondary_button_label', '#14181d'),
  };
}

/** Whatever was chosen, text keeps its contrast: a colour moves towards black or white as far as that asks. */
function colourVariables(given: ReturnType<typeof coloursOf>): Record<string, string> {
  const { card, field, button } = given;
  const onCard = (colour: string) => readable(colour, card);
  const badBack = mix(card, given.error, 0.06);
  return {
    page: given.page,
    card,
    field,
    heading: onCard(given.header),
    text: onCard(given.body),
    soft: onCard(given.body),
    label: onCard(given.labels),
    'field-text': readable(given.filled, field),
    'field-line': given.inputBorder,
    line: given.inputBorder,
    edge: given.edge,
    icon: onCard(given.icons),
    accent: button,
    'accent-hover': mix(button, blackOrWhite(button) === '#ffffff' ? '#000000' : '#ffffff', 0.14),
    'on-accent': contrast(given.label, button) >= TEXT_CONTRAST ? given.label : blackOrWhite(button),
    link: onCard(given.links),
    bad: readable(given.error, badBack),
    'bad-back': badBack,
    'bad-edge': mix(card, given.error, 0.3),
    good: onCard(given.success),
    'secondary-line': given.secondaryBorder,
    'secondary-text': onCard(given.secondaryLabel),
    glow: '0%',
  };
}

/** One of the two always reaches 4.58; white is the one that people expect on a button. */
function blackOrWhite(behind: string): string {
  return contrast(behind, '#ffffff') >= TEXT_CONTRAST ? '#ffffff' : '#000000';
}

const PLACES: Readonly<Record<string, string>> = { left: 'start', center: 'center', right: 'end' };

function shapeVariables(theme: PageTheme): Record<string, string | undefined> {
  const borders = objectOf(theme.borders);
  const fonts = objectOf(theme.fonts);
  const widget = objectOf(theme.widget);
  const background = objectOf(theme.page_background);
  const size = (name: string, base: number) => percent(objectOf(fonts[name]).size, base);
  const weight = (name: string, bold: number, normal: number) =>
    String(flagOf(objectOf(fonts[name]).bold) ? bold : normal);
  const image = cssImage(background.background_image_url);
  return {
    'card-radius': pixels(borders.widget_corner_radius, 50),
    'card-line': pixels(borders.widget_border_weight, 10),
    shadow: flagOf(borders.show_widget_shadow) === false ? 'none' : undefined,
    'button-radius': radius(borders.buttons_style, borders.button_border_radius),
    'button-line': pixels(borders.button_border_weight, 10),
    'field-radius': radius(borders.inputs_style, borders.input_border_radius),
    'field-line-width': pixels(borders.input_border_weight, 3),
    'base-size': percentOf(numberOf(fonts.reference_text_size), 16),
    'title-size': size('title', 1),
    'title-weight': weight('title', 700, 400),
    'lead-size': size('subtitle', 1),
    'lead-weight': weight('subtitle', 700, 400),
    'label-size': size('input_labels', 0.875),
    'label-weight': weight('input_labels', 700, 450),
    'button-size': size('buttons_text', 1),
    'button-weight': weight('buttons_text', 700, 500),
    'body-size': size('body_text', 0.875),
    'body-weight': weight('body_text', 700, 400),
    'link-size': size('links', 1),
    'link-weight': weight('links', 700, 500),
    'link-line': textOf(fonts.links_style) === 'normal' ? 'none' : undefined,
    'logo-size': pixels(widget.logo_height, 100, 1),
    'logo-place': PLACES[textOf(widget.logo_position) ?? ''],
    'logo-display': widget.logo_position === 'none' ? 'none' : undefined,
    align: PLACES[textOf(widget.header_text_alignment) ?? ''],
    'page-place': PLACES[textOf(background.page_layout) ?? ''],
    'page-image': image,
  };
}

function radius(style: unknown, given: unknown): string | undefined {
  if (style === 'pill') return '999px';
  return style === 'sharp' ? '0px' : pixels(given, 10);
}

function pixels(value: unknown, most: number, least = 0): string | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : `${Math.min(most, Math.max(least, Math.round(number)))}px`;
}

/** Sizes are parts of the user's own: 0 to 150 per cent, below 75 nobody could read them. */
function percent(value: unknown, base: number): string | undefined {
  const number = numberOf(value);
  if (number === undefined) return undefined;
  return `${Math.round((base * Math.min(150, Math.max(75, number))) / 0.1) / 1_000}rem`;
}

function percentOf(value: number | undefined, base: number): string | undefined {
  return value === undefined ? undefined : `${Math.round((Math.min(24, Math.max(12, value)) / base) * 1_000) / 10}%`;
}

function declare(variables: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(variables)
    .flatMap(([name, value]) => (value === undefined ? [] : [`--${name}:${value}`]))
    .join(';');
}
