import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, type LogRecord, passwordGrant } from '../protocol.ts';
import { measureHolds } from '../thread-holds.ts';
import { startWorld, type World, type WorldTenant } from '../world.ts';
import { openGate } from './gate.ts';
import { rule, setRules } from './rules.ts';

// Attack X1 as whole logins: a tenant's own users are all who notice what its code does.

let world: World;
let hostile: WorldTenant;
beforeAll(async () => {
  world = await startWorld({ containerLimits: { jobMs: 3_000, killsUntilOpen: 1_000 } });
  hostile = await world.createTenant('hostile');
  await setRules(world, [rule("context.idToken['https://example.com/answer'] = 42;")]);
  await passwordGrant(world, { scope: 'openid' });
});
afterAll(() => world.stop());

const failuresOf = (records: readonly LogRecord[]) => records.filter(({ type }) => type === 'fepft' || type === 'f');
const expression = (body: string) => `function (user, context, callback) { ${body} }`;

describe("A tenant's hostile rule", () => {
  it.each([
    ['never calls back', '', 'timeout'],
    ['loops without end', 'for (;;);', 'timeout'],
    ['starves all others with microtasks', 'const again = () => Promise.resolve().then(again); again();', 'timeout'],
    ['matches a hostile expression', '/^(a+)+$/.test("a".repeat(40) + "!");', 'timeout'],
    ['loops inside WebAssembly', loopInWasm(), 'timeout'],
    [
      'fills the heap',
      'const all = []; for (;;) all.push(new Array(1e6).fill({}));',
      expect.stringMatching(/^(?:crashed|timeout)$/),
    ],
    ['floods the console', 'for (;;) console.log("x".repeat(1000));', 'too_much_output'],
    ['exits', 'process.exit(0);', 'crashed'],
    [
      'forges an answer',
      `Deno.stdout.writeSync(new TextEncoder().encode('{"type":"result","id":"0"}\\n'));`,
      'crashed',
    ],
    ['forks', `require('child_process').fork('/tmp/x.js');`, 'threw'],
    ['reads files', `callback(null, require('fs').readFileSync('/etc/passwd', 'utf8'));`, 'threw'],
  ])(
    'that %s fails its own logins and is named in its log; another tenant logs in meanwhile',
    async (_what, body, failure) => {
      await setRules(world, [['Hostile', expression(body)]], hostile);
      const endOfHolds = measureHolds();
      const attack = eventsOf(
        world,
        async () => {
          const response = await passwordGrant(world, {}, hostile);
          expect(response.statusCode).toBe(403);
          expect(response.body).not.toMatch(/Hostile|passwd|memory|\/tmp/);
        },
        hostile,
      );
      expect((await passwordGrant(world, { scope: 'openid' })).statusCode).toBe(200);
      const records = await attack;
      expect(endOfHolds()(99)).toBeLessThan(100);
      expect(failuresOf(records)).toMatchObject([{ details: { rule: { name: 'Hostile', failure } } }]);
    },
  );
});

describe('A container that is killed from outside in the middle of a login', () => {
  let gate: Awaited<ReturnType<typeof openGate>>;
  beforeAll(async () => {
    gate = await openGate(world);
  });
  afterEach(() => setRules(world, []));
  afterAll(() => gate.close());

  it('sends the browser back with an error, leaves one event, and the next login works', async () => {
    await setRules(world, [['Waits', gate.rule]]);
    const visitor = world.visitor();
    const records = await eventsOf(world, async () => {
      const { answer } = await gate.during(
        async () => {
          const { response } = await visitor.authorize();
          const { email: username, password } = world.user;
          const last = await visitor.follow(await visitor.submit(response, { username, password }));
          return { answer: new URL(String(last.headers.location)).searchParams };
        },
        async () => {
          for (const pid of pidsAtWork()) process.kill(pid, 'SIGKILL');
        },
      );
      expect(answer.get('error')).toBe('access_denied');
      expect(answer.get('error_description')).not.toMatch(/SIGKILL|container/);
    });
    const failed = failuresOf(records);
    expect(failed).toMatchObject([{ details: { rule: { name: 'Waits', failure: 'crashed' } } }]);
    expect(records.filter((record) => JSON.stringify(record).includes('SIGKILL'))).toHaveLength(0);
    await setRules(world, [rule('user.fine = true;')]);
    expect((await world.visitor().logIn()).code).toMatch(/./);
  });

  /** The blank one is not: it would be handed out before its end is known. */
  function pidsAtWork(): readonly number[] {
    const { pids, blank } = world.app.containers.stats();
    return pids.slice(0, pids.length - blank);
  }
});

/** `(module (func (export "f") (loop br 0)))`. */
function loopInWasm(): string {
  const bytes = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11,
    11,
  ];
  return `new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(${JSON.stringify(bytes)}))).exports.f();`;
}
