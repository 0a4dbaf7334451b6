import type { Caller } from './service-settings.ts';

/** How much a caller may still ask: a bucket each that fills by `rate` a second and holds as much. */
export function createCallerRates({ rate, now }: { readonly rate: number; readonly now: () => number }) {
  const buckets = new Map<string, { left: number; at: number }>();

  /** Seconds to wait; 0 where the question is one of those that it may ask. */
  return function take({ name }: Caller): number {
    const time = now() / 1000;
    const bucket = buckets.get(name) ?? { left: rate, at: time };
    const left = Math.min(rate, bucket.left + Math.max(0, time - bucket.at) * rate);
    const isAllowed = left >= 1;
    buckets.set(name, { left: isAllowed ? left - 1 : left, at: time });
    return isAllowed ? 0 : Math.max(1, Math.ceil((1 - left) / rate));
  };
}
