import { describe, expect, it } from 'vitest';
import { readServerAddress } from './server-address.ts';

describe('the address of a memcached', () => {
  it.each([
    ['cache.internal', { host: 'cache.internal', port: 11_211 }],
    ['10.0.0.5:11212', { host: '10.0.0.5', port: 11_212 }],
    ['[::1]:11211', { host: '::1', port: 11_211 }],
    ['/run/memcached/s.sock', { path: '/run/memcached/s.sock' }],
  ])('is read from %s', (name, target) => {
    expect(readServerAddress(name)).toEqual({ name, target });
  });

  it.each(['', ':11211', 'a:0', 'a:65536', 'a:b', 'a b', '::1', 'memcached://a:1', 'user@a:1'])(
    'is none in "%s"',
    (name) => {
      expect(() => readServerAddress(name)).toThrow(/^servers: /);
    },
  );
});
