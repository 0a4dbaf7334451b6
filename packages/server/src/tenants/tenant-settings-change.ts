import { urlFault } from '../clients/url-entry.ts';
import { defineErrors } from '../kit/errors.ts';
import { deviceFlowFault } from './device-flow.ts';
import { LIFETIMES, lifetimeNames, objectOf } from './tenant-settings.ts';

type Json = Readonly<Record<string, unknown>>;

export const tenantSettingsErrors = defineErrors({
  lifetimeTooLong: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Value {value} is greater than maximum {maximum}' on property {property}.",
  },
  lifetimesDiffer: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Differs from {property}_in_minutes' on property {property}.",
  },
  tooMany: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: 'Array is too long ({count}), maximum {maximum}' on property {property}.",
  },
  tooLong: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'String is too long ({count} chars), maximum {maximum}' on property {property}.",
  },
  invalidFormat: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'Object didn't pass validation for format {format}: {value}' on property {property}.",
  },
  invalidMask: {
    status: 400,
    code: 'invalid_body',
    message: "Payload validation error: '{fault}' on property device_flow.mask.",
  },
  anyLocalhostInProduction: {
    status: 400,
    code: 'invalid_body',
    message:
      "Payload validation error: 'http://localhost:* allows every port and path of localhost and is refused in a production tenant' on property {property}.",
  },
});

const LONGEST_LIST = 100;
const LONGEST_TEXT = 2_048;

/** The stored settings after a PATCH: members replace, null restores the default, flags merge key by key. */
export function changeSettings(current: Json, patch: Json, { isProduction }: { isProduction: boolean }): Json {
  checkSizes(patch);
  checkLogoutUrls(patch.allowed_logout_urls, isProduction);
  const fault = deviceFlowFault(patch.device_flow);
  if (fault) throw tenantSettingsErrors.invalidMask({ fault });
  const { flags, ...members } = patch;
  const next: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(members)) {
    if (value === null) delete next[name];
    else next[name] = value;
  }
  // Only minutes are stored, so that hours and minutes never contradict each other.
  for (const name of lifetimeNames) {
    const minutes = minutesOf(patch, name);
    delete next[name];
    if (minutes !== undefined) next[`${name}_in_minutes`] = minutes;
  }
  if (flags !== undefined) next.flags = { ...objectOf(current.flags), ...objectOf(flags) };
  return next;
}

function minutesOf(patch: Json, name: keyof typeof LIFETIMES): number | undefined {
  const hours = patch[name];
  const inMinutes = patch[`${name}_in_minutes`];
  const given = typeof inMinutes === 'number' ? inMinutes : undefined;
  const minutes = given ?? (typeof hours === 'number' ? Math.round(hours * 60) : undefined);
  if (minutes === undefined) return undefined;
  if (given !== undefined && typeof hours === 'number' && Math.round(hours * 60) !== given) {
    throw tenantSettingsErrors.lifetimesDiffer({ property: name });
  }
  const { mostHours } = LIFETIMES[name];
  if (minutes > mostHours * 60) {
    throw given === undefined
      ? tenantSettingsErrors.lifetimeTooLong({ value: minutes / 60, maximum: mostHours, property: name })
      : tenantSettingsErrors.lifetimeTooLong({ value: given, maximum: mostHours * 60, property: `${name}_in_minutes` });
  }
  return minutes;
}

function checkSizes(patch: Json): void {
  for (const [property, value] of Object.entries(patch)) {
    if (Array.isArray(value) && value.length > LONGEST_LIST) {
      throw tenantSettingsErrors.tooMany({ property, count: value.length, maximum: LONGEST_LIST });
    }
    for (const text of Array.isArray(value) ? value : [value]) {
      if (typeof text === 'string' && text.length > LONGEST_TEXT) {
        throw tenantSettingsErrors.tooLong({ property, count: text.length, maximum: LONGEST_TEXT });
      }
    }
  }
}

function checkLogoutUrls(urls: unknown, isProduction: boolean): void {
  if (!Array.isArray(urls)) return;
  urls.forEach((url, index) => {
    if (typeof url !== 'string') return;
    const property = `allowed_logout_urls[${index}]`;
    const fault = urlFault(url, 'logout', isProduction);
    if (fault === 'production') throw tenantSettingsErrors.anyLocalhostInProduction({ property });
    if (fault) throw tenantSettingsErrors.invalidFormat({ format: 'callback-url', value: url.slice(0, 200), property });
  });
}
