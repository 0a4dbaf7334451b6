import { invalidCursor } from '../management/paging.ts';

/** Where a page ended: what the list was sorted by, the last item's key in that order, and its number among equals. */
export interface SearchPosition {
  readonly key: string;
  readonly seq: string;
}

export const START: SearchPosition = { key: '', seq: '0' };

export function writeCursor(sort: string, { key, seq }: SearchPosition): string {
  return `${seq}:${sort}:${key}`;
}

/** A cursor is good for the order that it was made in; what is behind it in another one would be anything. */
export function readCursor(sort: string, cursor: string | undefined): SearchPosition {
  if (cursor === undefined) return START;
  const [, seq, sortedBy, key] = /^(\d{1,18}):([a-z_]*):(.*)$/s.exec(cursor) ?? [];
  if (seq === undefined || key === undefined || sortedBy !== sort) throw invalidCursor();
  return { key, seq };
}
