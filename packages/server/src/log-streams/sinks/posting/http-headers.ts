import { objectsOf, textOf } from '../../../kit/json-values.ts';

const MOST_HEADERS = 20;
const LONGEST_VALUE = 4_096;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** RFC 9110 section 5.5, without the bytes above ASCII that no two receivers read alike. */
const VALUE = /^[\t\x20-\x7e]*$/;
/** They belong to the connection, to the message, or to what we say ourselves. */
const RESERVED = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
  ...['host', 'content-length', 'content-encoding', 'content-type', 'accept-encoding', 'user-agent'],
]);

/** `[{header, value}]` as an object; a later one of the same name counts. */
export function customHeadersOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    objectsOf(value).flatMap(({ header, value: text }) => {
      const [name, content] = [textOf(header)?.toLowerCase(), textOf(text)];
      return name === undefined || content === undefined || faultOfHeader(name, content) ? [] : [[name, content]];
    }),
  );
}

/** What is wrong with a list of custom headers, in words for the tenant. */
export function faultOfCustomHeaders(member: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const headers = objectsOf(value);
  if (!Array.isArray(value) || headers.length !== value.length) return `${member} must be a list of headers.`;
  if (headers.length > MOST_HEADERS) return `${member} must not have more than ${MOST_HEADERS} headers.`;
  for (const { header, value: text } of headers) {
    const fault = faultOfHeader(textOf(header)?.toLowerCase() ?? '', textOf(text) ?? '');
    if (fault) return `${member}: ${fault}`;
  }
  return undefined;
}

/** What is wrong with the value of a header of ours. */
export function faultOfHeaderValue(member: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = textOf(value);
  return text !== undefined && isValue(text)
    ? undefined
    : `${member} must be a header's value: printable ASCII, at most ${LONGEST_VALUE} characters.`;
}

function faultOfHeader(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'a header has no name, or one with characters that are not allowed.';
  if (RESERVED.has(name) || name.startsWith('webhook-')) return `the header ${name} can't be set.`;
  if (!isValue(value)) return `the value of ${name} must be printable ASCII, at most ${LONGEST_VALUE} characters.`;
  return undefined;
}

function isValue(text: string): boolean {
  return text.length <= LONGEST_VALUE && VALUE.test(text);
}
