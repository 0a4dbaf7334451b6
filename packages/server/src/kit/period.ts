/** A point of time as people write it in a search names a period: `2026` a year, `2026-11-22` a day, a full time a millisecond. */
export interface Period {
  readonly start: Date;
  /** The first moment after it. */
  readonly end: Date;
}

const FORM =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d{0,6})?)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$/;

/** Reads the forms of ISO 8601 that Auth0 takes; times without a zone are UTC. */
export function parsePeriod(text: string): Period | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const given = match.slice(1, 8).map((part) => (part === undefined ? undefined : Number(part)));
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = given;
  const fraction = match[7] === undefined ? 0 : Number(match[7].padEnd(3, '0'));
  const isReal =
    month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60 && second < 60;
  const offset = offsetMinutes(match[8]);
  if (!isReal || offset === undefined) return undefined;
  const at = (...parts: [number, number, number, number, number, number, number]) => {
    const [y, ...rest] = parts;
    // Date.UTC takes the years 0 to 99 for 1900 to 1999.
    const date = new Date(Date.UTC(2000, ...rest));
    date.setUTCFullYear(date.getUTCFullYear() - 2000 + y);
    return new Date(date.getTime() - offset * 60_000);
  };
  const precision = given.findLastIndex((part) => part !== undefined);
  const parts: [number, number, number, number, number, number, number] = [
    year,
    month - 1,
    day,
    hour,
    minute,
    second,
    fraction,
  ];
  const next: typeof parts = [...parts];
  next[precision] = (next[precision] ?? 0) + 1;
  return { start: at(...parts), end: at(...next) };
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
