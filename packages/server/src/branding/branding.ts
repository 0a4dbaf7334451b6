import { defineErrors } from '../kit/errors.ts';
import { isObject, type Json, objectOf, withoutNulls } from '../kit/json-values.ts';

/** How a tenant's pages look, as it was sent to the Management API. */
export interface StoredBranding {
  readonly settings: Json;
  /** A tenant has one theme; its id comes with it. */
  readonly theme: { readonly themeId: string; readonly body: Json } | undefined;
  /** The page around the login box: Liquid with auth0:head and auth0:widget. */
  readonly template: string | undefined;
}

export const NO_BRANDING: StoredBranding = { settings: {}, theme: undefined, template: undefined };

export const brandingErrors = defineErrors({
  themeExists: {
    status: 409,
    code: 'theme_already_exists',
    message: 'There was an error creating branding settings: theme already exists',
  },
  noThemeToRead: {
    status: 404,
    code: 'theme_not_found',
    message: 'There was an error retrieving branding settings: invalid theme ID',
  },
  noThemeToChange: {
    status: 404,
    code: 'theme_not_found',
    message: 'There was an error updating branding settings: invalid theme ID',
  },
  noThemeToDelete: {
    status: 404,
    code: 'theme_not_found',
    message: 'There was an error deleting branding settings: invalid theme ID',
  },
  noTemplate: {
    status: 404,
    code: 'inexistent_templates_universal_login',
    message: 'Template does not exist.',
  },
  additionalProperty: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Additional properties not allowed: {property}'.",
  },
  invalid: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: '{reason}' on property {property}.",
  },
});

const COLOUR = /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i;

/** The settings after a PATCH: members replace, colours and font one by one, null removes. */
export function changeBranding(current: Json, patch: Json): Json {
  const colors = merged(current.colors, patch.colors);
  const font = merged(current.font, patch.font);
  checkPageBackground(objectOf(colors).page_background);
  return withoutNulls({ ...current, ...patch, colors, font });
}

function merged(current: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch === undefined ? current : null;
  const next = withoutNulls({ ...objectOf(current), ...patch });
  return Object.keys(next).length === 0 ? null : next;
}

/** The catalogue leaves the gradient open: `{type: 'linear-gradient', start, end, angle_deg}`. */
function checkPageBackground(value: unknown): void {
  if (value === undefined || (typeof value === 'string' && COLOUR.test(value))) return;
  const { type, start, end, angle_deg: angle = 0, ...others } = objectOf(value);
  const isGradient = type === 'linear-gradient' && isColour(start) && isColour(end) && typeof angle === 'number';
  if (isGradient && Number.isFinite(angle) && Object.keys(others).length === 0) return;
  throw brandingErrors.invalid({ reason: 'Neither a color nor a linear-gradient', property: 'colors.page_background' });
}

function isColour(value: unknown): boolean {
  return typeof value === 'string' && COLOUR.test(value);
}
