import { describe, expect, it } from 'vitest';
import { createSealedEntries } from './seal-entry.ts';

const scope = { secret: 's'.repeat(32), issuer: 'https://dev.example/', audience: 'https://venues' };
const entries = createSealedEntries(scope);
const entry = { session: { endsAt: 9, refreshToken: 'refresh-me' } };

describe('an entry', () => {
  it('is read again with the token that it belongs to', () => {
    expect(entries.open('at', entries.seal('at', entry))).toEqual(entry);
  });

  it('tells nothing without the token', () => {
    const value = entries.seal('at', entry);
    expect(
      `${entries.keyOf('at')}${value}${Buffer.from(value.slice(2), 'base64url').toString('latin1')}`,
    ).not.toContain('refresh-me');
    expect(entries.keyOf('at')).toMatch(/^gw1:[\w-]{43}$/);
  });

  it.each([
    ['another token', scope, 'other'],
    ['another audience', { ...scope, audience: 'https://users' }, 'at'],
    ['another issuer', { ...scope, issuer: 'https://int.example/' }, 'at'],
    ['another secret', { ...scope, secret: 't'.repeat(32) }, 'at'],
  ])('of one token is none of %s', (_what, other, token) => {
    expect(createSealedEntries(other).open(token, entries.seal('at', entry))).toBeUndefined();
  });

  it.each(['', '1.', '{}', '1.AAAA', `1.${'A'.repeat(200)}`, '0.x'])('that nobody sealed (%s) is none', (value) => {
    expect(entries.open('at', value)).toBeUndefined();
  });
});
