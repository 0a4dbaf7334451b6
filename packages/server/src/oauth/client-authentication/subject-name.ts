/**
 * Compares a registered distinguished name with a certificate's subject. Registered names come as `C=XX\nO=Bank\nCN=client`, the
 * form of Node and of Auth0's documents, or with commas, be it from the country down or, as RFC 4514 has it, from the common
 * name up. Types of attributes are compared without case, values to the letter.
 */
export function sameSubject(registered: string, subject: string): boolean {
  const found = readLines(subject);
  const wanted = registered.includes('\n') ? readLines(registered) : readParts(splitAtCommas(registered));
  if (!found || !wanted || found.length !== wanted.length || found.length === 0) return false;
  return isEqual(found, wanted) || isEqual(found, wanted.reverse());
}

/** Relative names in their order, `TYPE=value` each. */
type Name = string[];

/** Line breaks within a value are escaped, so that a line is one relative name. */
function readLines(text: string): Name | undefined {
  return readParts(text.split('\n').map((line) => line.trim()));
}

function splitAtCommas(text: string): string[] {
  const parts = [''];
  let isEscaped = false;
  for (const character of text) {
    if (character === ',' && !isEscaped) parts.push('');
    else parts[parts.length - 1] += character;
    isEscaped = character === '\\' && !isEscaped;
  }
  return parts.map((part) => part.trim());
}

function readParts(parts: readonly string[]): Name | undefined {
  const name: Name = [];
  for (const part of parts) {
    const [, type, value] = /^([A-Za-z0-9.]+) ?= ?(.*)$/s.exec(part) ?? [];
    if (type === undefined || value === undefined) return undefined;
    name.push(`${type.toUpperCase()}=${withoutEscapes(value)}`);
  }
  return name;
}

/** RFC 4514 section 2.4: `\,` and `\2C`, the latter a byte of UTF-8. */
function withoutEscapes(value: string): string {
  return value
    .replace(/(?:\\[0-9a-fA-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8'))
    .replace(/\\(.)/gs, '$1');
}

function isEqual(one: Name, other: Name): boolean {
  return one.every((part, index) => part === other[index]);
}
