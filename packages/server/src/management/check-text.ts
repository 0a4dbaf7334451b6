const MAX_DEPTH = 100;

/** Text that PostgreSQL can't keep: a NUL, or half of a surrogate pair. Says what is wrong, or nothing. */
export function checkText(text: string): string | undefined {
  if (text.includes('\u0000')) return 'Strings may not contain the character U+0000';
  if (!text.isWellFormed()) return 'Strings must be well-formed Unicode';
  return undefined;
}

/** The same for each string and name of a JSON value; besides, a value nested so deep that walking it would end the stack. */
export function checkTexts(root: unknown): string | undefined {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return `Objects are nested too deep, maximum ${MAX_DEPTH}`;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'string') {
        const problem = checkText(value);
        if (problem !== undefined) return problem;
      } else if (Array.isArray(value)) {
        for (const item of value) next.push(item);
      } else if (typeof value === 'object' && value !== null) {
        for (const [name, member] of Object.entries(value)) next.push(name, member);
      }
    }
    level = next;
  }
  return undefined;
}
