/**
 * A text of strangers on the operator's terminal: what a terminal would obey is shown instead. `keep`: characters that
 * are layout here, such as line ends.
 */
export function printable(text: string, keep = ''): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) =>
    keep.includes(character) ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
