import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rules, startContainers } from '../../test/containers/harness.ts';
import { createContainers } from './containers.ts';

const add = (value: number) =>
  `function (user, context, callback) { (context.idToken.list = context.idToken.list || []).push(${value}); callback(null, user, context); }`;
const COUNT =
  'function (user, context, callback) { global.n = (global.n || 0) + 1; user.n = global.n; callback(null, user, context); }';
const STALL = 'function (user, context, callback) {}';
const LOOP = 'function (user, context, callback) { for (;;); }';
const SHORT = { heartbeatMs: 50 };

describe('rules in a container', () => {
  // One: where a heartbeat is late on a busy machine, a second one would take the job.
  const { execute, events } = startContainers({ limits: { containersPerPool: 1 } });

  it('run one after the other, also where an earlier one is slower', async () => {
    const slow =
      'async function (user, context, callback) { await new Promise((done) => setTimeout(done, 30)); context.idToken.list = [1]; callback(null, user, context); }';
    const outcome = await execute(rules(slow, add(2), add(3)));
    expect(outcome).toMatchObject({ ok: true, result: { context: { idToken: { list: [1, 2, 3] } } }, warnings: [] });
  });

  it('keep user and context where the callback leaves them out', async () => {
    const outcome = await execute(rules('(user, context, callback) => { user.seen = true; callback(); };'));
    expect(outcome).toMatchObject({ result: { user: { user_id: 'auth0|1', seen: true }, context: { idToken: {} } } });
  });

  it.each([
    ['throws', 'function (user) { null.x; }', { name: 'TypeError' }],
    ['rejects', 'async function () { throw new RangeError("later"); }', { name: 'RangeError', message: 'later' }],
    ['calls back with an error', 'function (u, c, callback) { callback(new Error("no")); }', { message: 'no' }],
    ['calls back with text', 'function (u, c, callback) { callback("no"); }', { name: 'Error', message: 'no' }],
    [
      'calls back with an object',
      'function (u, c, callback) { callback({ name: "Odd", message: "no", code: "odd", status_code: 401 }); }',
      { name: 'Odd', message: 'no', code: 'odd', statusCode: 401 },
    ],
    ['throws in a timer', 'function () { setTimeout(() => { throw new Error("tick"); }, 1); }', { message: 'tick' }],
    ['leaves a rejection behind', 'function () { Promise.reject(new Error("left")); }', { message: 'left' }],
    ['is no function', '42', { name: 'TypeError' }],
    ['can not be compiled', 'function (', { name: 'SyntaxError' }],
  ])('end at the rule that %s, and name it', async (_what, code, error) => {
    const outcome = await execute(rules(add(1), code, add(3)));
    expect(outcome).toMatchObject({
      ok: false,
      failure: { kind: 'threw', part: { id: 'rul_2', name: 'rule 2' }, error },
    });
  });

  it("tell the author the rule's own line, and nothing of this machine", async () => {
    const outcome = await execute(rules('function (user, context, callback) {\n  throw new Error("here");\n}'));
    const stack = outcome.ok ? '' : outcome.failure.error?.stack;
    expect(stack).toMatch(/rule-1.*:2:9\)?$/m);
    expect(stack).not.toMatch(/\/packages\/|file:/);
  });

  it('take the first callback alone, and warn of others by name', async () => {
    const twice = 'function (user, context, callback) { callback(null, user, context); callback(new Error("late")); }';
    const outcome = await execute(rules(twice, add(2)));
    expect(outcome).toMatchObject({
      ok: true,
      result: { context: { idToken: { list: [2] } } },
      warnings: [{ kind: 'callback_twice', part: { name: 'rule 1' } }],
    });
  });

  it('are warned of what happens after the whole pipeline as well', async () => {
    const late =
      'function (user, context, callback) { setTimeout(() => { callback(); throw new Error("gone"); }, 20); callback(null, user, context); }';
    expect(await execute(rules(late))).toMatchObject({ ok: true, warnings: [] });
    await expect
      .poll(() => events)
      .toMatchObject([
        { type: 'late_warning', tenantId: 'dev', kind: 'rules', warning: { kind: 'callback_twice' } },
        { type: 'late_warning', warning: { kind: 'uncaught', text: 'Error: gone' } },
      ]);
  });

  it('write to a console of their own, also through process.stdout', async () => {
    const speak = (word: string) =>
      `async function (user, context, callback) { console.log('%s is', ${JSON.stringify(word)}, { a: 1 }); await null; process.stdout.write('raw\\n'); console.error('bad'); callback(); }`;
    const [one, other] = await Promise.all([execute(rules(speak('one'))), execute(rules(speak('other')))]);
    expect(one.console).toEqual([
      { level: 'log', text: 'one is { a: 1 }', part: { id: 'rul_1', name: 'rule 1' } },
      { level: 'log', text: 'raw', part: { id: 'rul_1', name: 'rule 1' } },
      { level: 'error', text: 'bad', part: { id: 'rul_1', name: 'rule 1' } },
    ]);
    expect(other.console[0]).toMatchObject({ text: 'other is { a: 1 }' });
  });

  it('get their configuration with each execution, since only the code is kept', async () => {
    const read = rules('function (user, context, callback) { user.key = configuration.KEY; callback(null, user); }');
    const at = (KEY: string) => execute({ ...read, input: { ...Object(read.input), configuration: { KEY } } });
    const outcomes = await Promise.all(['a', 'b', 'c'].map(at));
    expect(outcomes).toMatchObject(['a', 'b', 'c'].map((key) => ({ result: { user: { key } } })));
  });

  it('share global while the container lives, with database scripts too, and never with another tenant or actions', async () => {
    const first = await execute({ ...rules(COUNT), tenantId: 'one' });
    const script = {
      ...rules('function (name, callback) { global.n++; callback(null, { name, n: global.n }); }'),
      tenantId: 'one',
      kind: 'database' as const,
      input: { arguments: ['ada'] },
    };
    expect([first, await execute(script)]).toMatchObject([
      { result: { user: { n: 1 } } },
      { result: { results: [{ name: 'ada', n: 2 }] } },
    ]);
    const elsewhere = [
      { ...rules(COUNT), tenantId: 'two' },
      { ...rules(COUNT), tenantId: 'one', pool: 'actions' as const },
    ];
    for (const job of elsewhere) expect(await execute(job)).toMatchObject({ result: { user: { n: 1 } } });
  });

  it('are answered without members that lead to a prototype', async () => {
    const hostile =
      'function (user, context, callback) { callback(null, JSON.parse(\'{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"list":[{"__proto__":{}}],"ok":1}\'), context); }';
    const looks = 'function (user, context, callback) { user.sees = user.admin === true; callback(null); }';
    const outcome = await execute(rules(hostile, looks));
    const { user } = outcome.ok ? Object(outcome.result) : {};
    // The members of a new object are taken over into the first one.
    expect(Object.getOwnPropertyNames(user)).toEqual(['user_id', 'list', 'ok', 'sees']);
    expect(user.sees).toBe(false);
    expect(Object.getOwnPropertyNames(user.list[0])).toEqual([]);
    expect(user.admin).toBeUndefined();
  });

  it.each([
    ['more than a megabyte', 'user.big = "x".repeat(1100000);', 'too_much_output'],
    ['more levels than anybody reads', 'for (let i = 0; i < 5000; i++) user.deep = [user.deep];', 'too_much_output'],
    ['a circle', 'user.self = user;', 'threw'],
    ['a BigInt', 'user.big = 1n;', 'threw'],
  ])('fail where they answer with %s, and their container goes on', async (_what, body, kind) => {
    const before = await execute(rules(COUNT));
    const outcome = await execute(
      rules(`function (user, context, callback) { ${body} callback(null, user, context); }`),
    );
    expect(outcome).toMatchObject({ ok: false, failure: { kind } });
    const after = await execute(rules(COUNT));
    const countOf = (ran: typeof after) => (ran.ok ? Object(ran.result).user.n : undefined);
    expect(countOf(after)).toBe(countOf(before) + 1);
  });
});

describe('a container', () => {
  it.each([
    ['never calls back', ''],
    ['loops without end', 'for (;;);'],
    ['starves everything with microtasks', 'const again = () => Promise.resolve().then(again); again();'],
  ])(
    'is ended at the limit where a rule %s; what ran beside it is told, the next one begins afresh',
    async (_what, body) => {
      const { execute, events } = startContainers({ limits: { containersPerPool: 1 } });
      expect(await execute(rules(COUNT))).toMatchObject({ result: { user: { n: 1 } } });
      const waiting = execute(rules('function (u, c, callback) { setTimeout(() => callback(), 10000); }'));
      const job = rules(add(1), `function (user, context, callback) { if (!user.begins) return callback(); ${body} }`);
      // Compiled by now: what is left of the limit is for the second rule.
      expect(await execute(job)).toMatchObject({ ok: true });
      const input = { ...Object(job.input), user: { begins: true } };
      expect(await execute({ ...job, input, limitMs: 1_000 })).toMatchObject({
        ok: false,
        failure: { kind: 'timeout', part: { name: 'rule 2' } },
      });
      expect(await waiting).toMatchObject({ ok: false, failure: { kind: 'recycled' } });
      expect(events).toMatchObject([
        { type: 'container_ended', tenantId: 'dev', reason: 'timeout', part: { name: 'rule 2' } },
      ]);
      expect(await execute(rules(COUNT))).toMatchObject({ ok: true, result: { user: { n: 1 } } });
    },
  );

  it('that is killed from outside fails what it ran, once, and is replaced', async () => {
    const { execute, events } = startContainers({ limits: { containersPerPool: 1 } });
    const which = await execute(rules('function (user, context, callback) { user.pid = process.pid; callback(); }'));
    const running = execute(rules(STALL));
    process.kill(which.ok ? Object(which.result).user.pid : Number.NaN, 'SIGKILL');
    expect(await running).toMatchObject({ ok: false, failure: { kind: 'crashed' } });
    expect(await execute(rules(COUNT))).toMatchObject({ result: { user: { n: 1 } } });
    expect(events).toMatchObject([{ type: 'container_ended', reason: 'exited' }]);
  });

  it('that was left with an endless loop by a rule that had answered is ended too', async () => {
    const { execute, events } = startContainers({ limits: { ...SHORT, silenceMs: 200 } });
    const left = 'function (user, context, callback) { callback(); setTimeout(() => { for (;;); }, 5); }';
    expect(await execute(rules(left))).toMatchObject({ ok: true });
    await expect.poll(() => events).toMatchObject([{ type: 'container_ended', reason: 'unresponsive' }]);
  });

  it('is replaced when it is worn, and ended when nobody needs it', async () => {
    const { execute, stats } = startContainers({
      limits: { maxJobs: 2, idleMs: 400, heartbeatMs: 50, containersPerPool: 1 },
    });
    const counts = [];
    for (let index = 0; index < 5; index++) {
      const outcome = await execute(rules(COUNT));
      counts.push(outcome.ok && Object(outcome.result).user.n);
    }
    expect(counts).toEqual([1, 2, 1, 2, 1]);
    await expect.poll(() => stats().containers).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')(
    'gives way to everything else while its code takes a core for itself, and to no more than hashing otherwise',
    async () => {
      const { execute, stats } = startContainers({
        limits: { watchMs: 50, greedyMs: 100, greedyStartMs: 100, containersPerPool: 1, jobMs: 20_000 },
      });
      const nices = () => stats().pids.map((pid) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[18]);
      await execute(rules(COUNT));
      await expect.poll(nices).toContain('10');
      // Endless, and ended with the containers: how long it needs for a core of its own depends on who else wants one.
      const endless = execute(rules('function () { for (;;); }'));
      await expect.poll(nices, { timeout: 60_000, interval: 20 }).toContain('19');
      process.kill(stats().pids[nices().indexOf('19')] ?? Number.NaN, 'SIGKILL');
      expect(await endless).toMatchObject({ ok: false, failure: { kind: 'crashed' } });
    },
  );

  it('is there before it is needed where a login announces itself', async () => {
    const { execute, warm, stats } = startContainers();
    warm('dev', 'scripts');
    await expect.poll(() => stats().containers).toBeGreaterThan(0);
    expect(await execute(rules(COUNT))).toMatchObject({ ok: true });
  });
});

describe('many executions', () => {
  it('wait for their turn, and no longer than the limit', async () => {
    const { execute } = startContainers({ limits: { ...SHORT, jobsPerPool: 2, queuePerPool: 2, queueMs: 100 } });
    await execute(rules(COUNT));
    const slow = rules('function (u, c, callback) { setTimeout(() => callback(), 200); }');
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map(() => execute(slow)));
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.failure.kind))).toEqual([
      'ok',
      'ok',
      'busy',
      'busy',
      'busy',
    ]);
  });

  it('of a tenant whose code loops hold up no other tenant', async () => {
    const { execute } = startContainers({ limits: SHORT });
    const loops = [1, 2, 3, 4].map(() => execute({ ...rules(LOOP), tenantId: 'looping', limitMs: 3_000 }));
    const others = await Promise.all(['a', 'b', 'c'].map((tenantId) => execute({ ...rules(COUNT), tenantId })));
    expect(others).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
    for (const loop of loops) expect(await loop).toMatchObject({ ok: false });
  });

  it('of more tenants than there is room for take turns', async () => {
    const { execute, stats } = startContainers({ limits: { containers: 2 } });
    const tenants = ['a', 'b', 'c', 'd', 'e', 'f'];
    const outcomes = await Promise.all(tenants.map((tenantId) => execute({ ...rules(COUNT), tenantId })));
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(stats().containers).toBeLessThanOrEqual(2);
  });

  it('that keep ending their containers are refused for a while, and nobody else is', async () => {
    const { execute, events } = startContainers({ limits: { killsUntilOpen: 3, openMs: 60_000 } });
    const exit = rules('function () { process.exit(3); }');
    for (let index = 0; index < 3; index++) expect(await execute(exit)).toMatchObject({ failure: { kind: 'crashed' } });
    expect(await execute(rules(COUNT))).toMatchObject({ ok: false, failure: { kind: 'circuit_open' } });
    expect(await execute({ ...rules(COUNT), tenantId: 'other' })).toMatchObject({ ok: true });
    expect(events.map(({ type }) => type)).toEqual([
      'container_ended',
      'container_ended',
      'container_ended',
      'circuit_opened',
    ]);
  });
});

describe('a machine where containers can not start', () => {
  it.each([
    ['is missing', '/nowhere/deno', /does not start/],
    ['is another program', '/bin/true', /needs Deno 2\.9\.6 or newer/],
  ])('says why: Deno %s', async (_what, deno, message) => {
    const { execute, check, stop } = createContainers({ log: silent, deno });
    expect(await execute(rules(COUNT))).toMatchObject({
      ok: false,
      failure: { kind: 'unavailable', error: { message: expect.stringMatching(message) } },
    });
    expect(await check()).toMatch(message);
    await stop();
  });
});

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
