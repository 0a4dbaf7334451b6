// Escaping keeps a value inside its attribute; it does not stop `javascript:` in it. Every URL that reaches an attribute
// passes one of these first. The parsed form is used, so that what was checked is what the browser sees.

const LONGEST_URL = 2_048;
/** A logo in a data: URL may be larger than an address; SVG is no risk in an <img>, which runs no scripts. */
const LONGEST_IMAGE = 65_536;

/** An absolute http or https URL, or undefined. */
export function webUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST_URL || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
}

/** A path on this origin. `//host` and `/\host` would leave it. */
export function localPath(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST_URL || !value.startsWith('/')) return undefined;
  const base = 'http://this.invalid';
  if (!URL.canParse(value, base)) return undefined;
  const url = new URL(value, base);
  return url.origin === base ? url.pathname + url.search + url.hash : undefined;
}

/** A path on this origin or a web address. */
export function link(value: unknown): string | undefined {
  return localPath(value) ?? webUrl(value);
}

/** What `img-src https: data:` lets through. */
export function imageUrl(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^data:image\/(?:png|jpeg|gif|webp|avif|svg\+xml|x-icon)[;,][\x21-\x7e]*$/i.test(value)) {
    return value.length <= LONGEST_IMAGE ? value : undefined;
  }
  const url = webUrl(value);
  return url?.startsWith('https:') ? url : undefined;
}

/** `mailto:` for one plain address: no `?`, `&` or `%`, which would add recipients, headers or a body. */
export function mailLink(value: unknown): string | undefined {
  return typeof value === 'string' &&
    value.length <= 254 &&
    /^[A-Za-z0-9.!#$'*+/=^_`{|}~-]+@[A-Za-z0-9.-]+$/.test(value)
    ? `mailto:${value}`
    : undefined;
}
