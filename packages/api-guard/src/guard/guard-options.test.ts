import { describe, expect, it } from 'vitest';
import { guarded } from '../../test/guarded.ts';
import type { GuardOptions } from './guard-options.ts';

describe('options of a guard', () => {
  it.each<[string, unknown]>([
    ['issuer', ''],
    ['issuer', 'acme-dev.example/'],
    ['audience', undefined],
    ['secret', 'short'],
    ['cache', {}],
    ['verify', 'https://token-service'],
    ['maxStaleSeconds', -1],
    ['maxStaleSeconds', Number.NaN],
    ['maxStaleSeconds', '60'],
    ['refusedSeconds', 86_400],
    ['clockToleranceSeconds', 3_600],
    ['deadlineMs', 0],
    ['mostAtOnce', Number.POSITIVE_INFINITY],
  ])('are refused by name: %s = %s', (name, value) => {
    const wrong = { [name]: value } as Partial<GuardOptions>;
    expect(() => guarded(wrong)).toThrow(new RegExp(`^${name} must `));
  });
});
