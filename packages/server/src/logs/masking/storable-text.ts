const CUT = '… [cut]';

/** A text that PostgreSQL stores: NUL and lone surrogates, which neither text nor jsonb can hold, become U+FFFD; long ones are cut. */
export function storableText(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? text.slice(0, maxLength) + CUT : text;
  const wellFormed = cut.isWellFormed() ? cut : cut.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\ufffd') : wellFormed;
}
