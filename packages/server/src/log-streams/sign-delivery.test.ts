import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newSigningSecret, signDelivery } from './sign-delivery.ts';

const delivery = { firstLogId: '900', count: 1, body: '{"a":1}', at: new Date(1_700_000_000_999), isReplay: false };

/** As a receiver checks it. */
function isSigned(secret: string, headers: Record<string, string>, body: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = createHmac('sha256', key)
    .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
    .digest('base64');
  return (headers['webhook-signature'] ?? '').split(' ').includes(`v1,${expected}`);
}

describe('a signed delivery', () => {
  it('has the signature that the specification computes for its example key', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const signed = signDelivery([secret], {
      firstLogId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      count: 1,
      body: '{"test": 2432232314}',
      at: new Date(1_614_265_330_000),
      isReplay: false,
    });
    expect(signed).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('names its first event, and how many there are', () => {
    expect(signDelivery([], { ...delivery, count: 25 })).toEqual({
      'webhook-id': '900-25',
      'webhook-timestamp': '1700000000',
    });
  });

  it('keeps its id at each attempt, with the time of the attempt', () => {
    const later = signDelivery([], { ...delivery, at: new Date(1_700_000_060_000) });
    expect(later).toEqual({ 'webhook-id': '900', 'webhook-timestamp': '1700000060' });
  });

  it('is signed with both keys while they are rotated', () => {
    const [older, newer] = [newSigningSecret(), newSigningSecret()];
    const headers = signDelivery([newer, older], delivery);
    expect([newer, older].map((secret) => isSigned(secret, headers, delivery.body))).toEqual([true, true]);
    expect(isSigned(older, signDelivery([newer], delivery), delivery.body)).toBe(false);
    expect(isSigned(newer, headers, '{"a":2}')).toBe(false);
  });

  it('says that it is a replay', () => {
    expect(signDelivery([], { ...delivery, isReplay: true })['webhook-replay']).toBe('true');
  });

  it('gets keys of 32 random bytes', () => {
    const [one, other] = [newSigningSecret(), newSigningSecret()];
    expect(Buffer.from(one.slice('whsec_'.length), 'base64')).toHaveLength(32);
    expect(one).toMatch(/^whsec_/);
    expect(one).not.toBe(other);
  });
});
