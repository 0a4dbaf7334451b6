const SECRET_BYTES = 32;

/** Of a number: what it is unless said otherwise, and between what it must be. */
export interface Bound {
  readonly otherwise: number;
  readonly least: number;
  readonly most: number;
}

/** Throws a TypeError that names the option. */
export function checkTexts<Name extends string>(
  options: { readonly [name in Name]?: unknown },
  names: readonly Name[],
): void {
  for (const name of names)
    if (typeof options[name] !== 'string' || options[name] === '') throw new TypeError(`${name} must be a text.`);
}

export function checkSecret(secret: unknown): void {
  if (typeof secret !== 'string' || Buffer.byteLength(secret) < SECRET_BYTES)
    throw new TypeError(`secret must have at least ${SECRET_BYTES} bytes.`);
}

export function boundedNumber(name: string, value: unknown, { otherwise, least, most }: Bound): number {
  const number = value ?? otherwise;
  if (typeof number === 'number' && number >= least && number <= most) return number;
  throw new TypeError(`${name} must be a number from ${least} to ${most}.`);
}

/** What goes into a header: a line break in it would be an error of each request, in whose message it stands. */
export function checkHeaderText(name: string, value: unknown): void {
  if (typeof value !== 'string' || !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value))
    throw new TypeError(`${name} must be printable ASCII, without a space or a line break at its ends.`);
}

export function checkWebAddress(name: string, value: unknown): void {
  if (typeof value !== 'string' || !/^https?:$/.test(URL.parse(value)?.protocol ?? ''))
    throw new TypeError(`${name} must be an http or https URL.`);
}
