/** What code is compiled as: a function expression (rules, database scripts), a CommonJS module (actions, hooks), one of the tenant's own modules. */
export type CodeForm = 'expression' | 'module' | 'library';

/** Why code can't be compiled, and where: lines and columns are the author's own, and count from 1. */
export interface SyntaxFault {
  readonly message: string;
  readonly place: FaultPlace;
}

export interface FaultPlace {
  readonly line: number;
  readonly column: number;
  /** The line, or as much of it as fits around the place. */
  readonly source: string;
  /** Where the place is in `source`, from 0. */
  readonly mark: number;
}

/** In one line: for a list of errors. */
export function faultInLine({ message, place }: SyntaxFault): string {
  const { line, column, source } = place;
  return `SyntaxError: ${message} (line ${line}, column ${column}): ${source.trim()}`;
}

/** As a stack, with the line and a mark below the place. */
export function faultAsStack(name: string, { message, place }: SyntaxFault): string {
  const { line, column, source, mark } = place;
  const lead = source.length - source.trimStart().length;
  const shown = [source.slice(lead), `${' '.repeat(Math.max(0, mark - lead))}^`];
  return [`SyntaxError: ${message}`, `    at ${name}:${line}:${column}`, ...shown.map((text) => `      ${text}`)].join(
    '\n',
  );
}

/** Of an event, beside what was thrown. */
export function placeDetails(place: FaultPlace | undefined): Partial<Pick<FaultPlace, 'line' | 'column' | 'source'>> {
  return place ? { line: place.line, column: place.column, source: place.source } : {};
}
