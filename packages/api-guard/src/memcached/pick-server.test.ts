import { describe, expect, it } from 'vitest';
import { pickServer } from './pick-server.ts';

const named = (...names: string[]) => names.map((name) => ({ name }));
const keys = Array.from({ length: 3_000 }, (_, index) => `gw1:${Buffer.from(`token ${index}`).toString('base64url')}`);

describe('the server of a key', () => {
  it('is each of several servers about as often', () => {
    const servers = named('10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211');
    const counts = new Map<string, number>();
    for (const key of keys) {
      const { name } = pickServer(servers, key);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts.values()].every((count) => count > 900 && count < 1_100)).toBe(true);
  });

  it('is the same in whatever order the servers are listed, by every release', () => {
    const picked = keys.slice(0, 8).map((key) => pickServer(named('a:1', 'b:1', 'c:1'), key).name);
    expect(keys.slice(0, 8).map((key) => pickServer(named('c:1', 'a:1', 'b:1'), key).name)).toEqual(picked);
    expect(picked).toMatchInlineSnapshot(`
      [
        "b:1",
        "c:1",
        "c:1",
        "b:1",
        "b:1",
        "b:1",
        "c:1",
        "a:1",
      ]
    `);
  });

  it('stays the same where another server is added or goes', () => {
    for (const key of keys) {
      const { name } = pickServer(named('a:1', 'b:1', 'c:1'), key);
      if (name !== 'c:1') expect(pickServer(named('a:1', 'b:1'), key).name).toBe(name);
    }
  });
});
