/** A date of a search is a span: `2018-12` is the whole month. Milliseconds, the end excluded. */
export interface DateSpan {
  readonly start: number;
  readonly end: number;
}

const FORM =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,9}))?)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$/;

/** Undefined for a text that is no date. Without an offset it is UTC. */
export function parseDateSpan(text: string): DateSpan | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const numbers = [year, month ?? '01', day ?? '01', hour ?? '00', minute ?? '00', second ?? '00'].map(Number);
  const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = numbers;
  const millisecond = fraction === undefined ? 0 : Number(fraction.padEnd(3, '0').slice(0, 3));
  if (mo < 1 || mo > 12 || d < 1 || d > new Date(Date.UTC(y, mo, 0)).getUTCDate()) return undefined;
  if (h > 24 || mi > 59 || s > 60) return undefined;
  const shift = offsetOf(offset);
  const at = (...parts: Instant) => utc(parts) - shift;
  const start = at(y, mo - 1, d, h, mi, s, millisecond);
  if (month === undefined) return { start, end: at(y + 1, 0, 1, 0, 0, 0, 0) };
  if (day === undefined) return { start, end: at(y, mo, 1, 0, 0, 0, 0) };
  if (hour === undefined) return { start, end: start + 86_400_000 };
  if (minute === undefined) return { start, end: start + 3_600_000 };
  if (second === undefined) return { start, end: start + 60_000 };
  return { start, end: start + (fraction === undefined ? 1_000 : 1) };
}

type Instant = [year: number, month: number, day: number, hour: number, minute: number, second: number, ms: number];

/** Date.UTC takes the years 0 to 99 for those of the last century; the calendar repeats itself after 400 years. */
function utc([year, ...rest]: Instant): number {
  return Date.UTC(year + 400, ...rest) - 146_097 * 86_400_000;
}

function offsetOf(offset: string | undefined): number {
  if (offset === undefined || offset === 'Z') return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2));
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}
