import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTargetConnector } from '../../src/outgoing/connect-target.ts';
import { probe, rules, startContainers } from './harness.ts';

// Attack X1, what is aimed at neighbours: other tenants, other executions, modules that nobody curated, places that run out.

const sockets: Server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => socket.write(bytes));
});
let target = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => sockets.listen(0, '127.0.0.1', resolve));
  target = `db.test:${(sockets.address() as AddressInfo).port}`;
});
afterAll(() => void sockets.close());

const { execute, events } = startContainers({
  limits: { killsUntilOpen: 1_000, connections: 5 },
  egressOf: async () => ({ mode: 'deny-private', hosts: [], intranet: [target] }),
  connectIntranet: createTargetConnector({
    ownPorts: () => [],
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  }),
});
const out = (outcome: Awaited<ReturnType<typeof execute>>) =>
  outcome.ok ? Object(outcome.result).user.out : outcome.failure;

describe('Code of one tenant', () => {
  it.each([
    ['global', 'global.secret = "mine";', 'return typeof global.secret'],
    ['a prototype', 'Object.prototype.secret = "mine";', 'return typeof {}.secret'],
    ['a module', 'require("util").secret = "mine";', 'return typeof require("util").secret'],
    ['process', 'process.env.SECRET = "mine";', 'return typeof process.env.SECRET'],
  ])('leaves nothing for another tenant in %s', async (_where, leave, look) => {
    await execute({ ...probe(`${leave} return 1`), tenantId: 'one' });
    expect(out(await execute({ ...probe(look), tenantId: 'two' }))).toBe('undefined');
  });

  it.each([
    ['a name that looks like a module', 'loadash', /Cannot find|not .*(?:found|there|available|known)/i],
    ['another one of that kind', 'expresss', /Cannot find|not .*(?:found|there|available|known)/i],
    ['a path', '/etc/passwd', /^ERROR/],
    ['a path upwards', '../../../../etc/passwd', /^ERROR/],
    ['Node twice', 'node:node:fs', /^ERROR/],
    ['the registry', 'npm:lodash', /^ERROR/],
    ['an address', 'https://example.com/x.js', /^ERROR/],
  ])('loads no module by %s', async (_what, name, words) => {
    expect(out(await execute(probe(`return typeof require('${name}')`)))).toMatch(words);
  });

  it('runs out of open files by itself, and another tenant goes on', async () => {
    const open = `const held = []; const fs = require('fs');
      try { for (let i = 0; i < 1000; i++) held.push(fs.openSync(__filename ?? '/proc/self/maps')); } catch (error) { return String(error).length > 0 ? 'refused' : ''; } return 'opened';`;
    const [hostile, other] = await Promise.all([
      execute({ ...probe(open), tenantId: 'hostile' }),
      execute({ ...probe('return 6 * 7'), tenantId: 'other' }),
    ]);
    expect([out(hostile) === 'opened', out(other)]).toEqual([false, 42]);
  });

  it('has as many tunnelled connections as its container may have, and no more', async () => {
    const open = `const [host, port] = '${target}'.split(':'); const net = require('net');
      const all = await Promise.all(Array.from({ length: 8 }, () => new Promise((done) => { const socket = net.connect(port, host, () => done('open')); socket.on('error', () => done('refused')); })));
      return all.toSorted();`;
    expect(out(await execute({ ...probe(open), tenantId: 'sockets' }))).toEqual([
      ...Array(5).fill('open'),
      ...Array(3).fill('refused'),
    ]);
  });

  it.each(['then', 'toJSON'])('is answered in order where what it hands over has a hostile %s', async (member) => {
    const job = rules(
      `function (user, context, callback) { user.${member} = () => { throw new Error('trap'); }; callback(null, user, context); }`,
    );
    const outcome = await execute(job);
    expect(outcome.ok || outcome.failure.kind === 'threw').toBe(true);
  });

  it('makes no trap for the server of proxies, species and getters', async () => {
    const outcome = await execute(
      rules(`function (user, context, callback) {
        class Odd extends Array { static get [Symbol.species]() { throw new Error('species'); } }
        user.list = Odd.from([1, 2]); user.proxy = new Proxy({ a: 1 }, { get(target, name) { return name === 'a' ? 2 : undefined; } });
        Object.defineProperty(user, 'late', { enumerable: true, get: () => ({ __proto__: null, constructor: 1, ok: 3 }) });
        callback(null, user, context);
      }`),
    );
    expect(outcome).toMatchObject({ ok: true, result: { user: { list: [1, 2], proxy: { a: 2 }, late: { ok: 3 } } } });
  });
});

describe('A connection', () => {
  const CONNECT = () =>
    `const [host, port] = '${target}'.split(':'); const socket = require('net').connect(port, host);`;

  it('whose callback throws fails the execution that made it, at once and by its name', async () => {
    const fails = rules(
      `function (user, context, callback) { ${CONNECT()} socket.on('connect', () => { throw new Error('in a callback'); }); }`,
    );
    const stays = rules(
      `function (user, context, callback) { ${CONNECT()} socket.on('connect', () => setTimeout(() => { socket.destroy(); callback(); }, 300)); }`,
    );
    const [failed, stayed] = await Promise.all([execute(fails), execute(stays)]);
    expect(failed).toMatchObject({ ok: false, failure: { kind: 'threw', error: { message: 'in a callback' } } });
    expect(stayed).toMatchObject({ ok: true });
    expect(failed.tookMs).toBeLessThan(15_000);
    expect(events.filter(({ type }) => type === 'container_ended')).toEqual([]);
  });

  it.each([
    ['an error that nobody listens for', ''],
    ['what a listener throws', "socket.on('error', () => { throw new Error('in a listener'); });"],
  ])('outside the tunnel fails its execution at once by %s', async (_what, listen) => {
    const job = rules(
      `function (user, context, callback) { const socket = require('net').connect(80, '127.0.0.1'); ${listen} }`,
    );
    expect(await execute(job)).toMatchObject({ ok: false, failure: { kind: 'threw', part: { name: 'rule 1' } } });
  });

  it('that is made after the callback still leads to a target of the operator', async () => {
    const left = rules(
      `function (user, context, callback) { callback(); setTimeout(() => { ${CONNECT()} socket.on('connect', () => { global.reached = 'yes'; socket.destroy(); }); socket.on('error', (error) => { global.reached = error.message; }); }, 20); }`,
    );
    const outcome = await execute({ ...left, tenantId: 'left' });
    expect(outcome).toMatchObject({ ok: true });
    await expect
      .poll(async () => out(await execute({ ...probe('return global.reached'), tenantId: 'left' })))
      .toBe('yes');
  });
});
