import { readFileSync } from 'node:fs';

const FILE = new URL('./common-passwords.txt', import.meta.url);

let known: ReadonlySet<string> | undefined;

/** Whether a password is one that guessers try first, or one of the connection's own list; case makes no difference. */
export function isCommonPassword(password: string, custom: readonly string[]): boolean {
  const text = password.toLowerCase();
  known ??= new Set(readFileSync(FILE, 'utf8').split('\n').filter(Boolean));
  return known.has(text) || custom.some((word) => word.toLowerCase() === text);
}
