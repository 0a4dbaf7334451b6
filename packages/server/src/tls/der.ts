// Writes DER (X.690), as little of it as certificates need. Nothing here reads DER: that is left to OpenSSL in node:crypto.

export const sequence = (...parts: Uint8Array[]): Buffer => element(0x30, ...parts);
export const octetString = (bytes: Uint8Array): Buffer => element(0x04, bytes);
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => element(0x03, Buffer.of(unusedBits), bytes);
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text, 'utf8'));
export const nothing = (): Buffer => element(0x05);
export const truth = (): Buffer => element(0x01, Buffer.of(0xff));

/** DER sorts the members of a set by their encoding. */
export function setOf(...parts: Uint8Array[]): Buffer {
  return element(0x31, ...[...parts].sort(Buffer.compare));
}

/** `[number]` around whole elements (explicit tagging), or in place of a sequence's tag (implicit tagging). */
export const context = (number: number, ...parts: Uint8Array[]): Buffer => element(0xa0 | number, ...parts);
/** `[number]` in place of a primitive element's tag. */
export const contextPrimitive = (number: number, bytes: Uint8Array): Buffer => element(0x80 | number, bytes);

/** A non-negative integer from its big-endian bytes: in the shortest form, with a zero in front of a set sign bit. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const shortest = first === -1 ? Buffer.of(0) : bytes.subarray(first);
  return (shortest[0] ?? 0) >= 0x80 ? element(0x02, Buffer.of(0), shortest) : element(0x02, shortest);
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime after it; whole seconds. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits));
}

function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(content), content]);
}

function lengthOf(content: Uint8Array): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}
