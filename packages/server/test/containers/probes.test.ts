import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/containers/job.ts';
import { measureHolds } from '../thread-holds.ts';
import { probe, rules, seen, startContainers } from './harness.ts';

// Attack X1: what tenant code tries against the machine, the server, its network and other tenants. A row is a name, the
// code, and what its author must get to see: `user.out`, or how the execution ends.

const { execute, events } = startContainers({ limits: { killsUntilOpen: 1_000, heartbeatMs: 200 } });

describe('files, environment, processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gw-probe-'));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  symlinkSync('/etc', join(folder, 'node_modules'));

  it.each([
    ['reads /etc/passwd', `return require('fs').readFileSync('/etc/passwd', 'utf8')`],
    ['reads by Deno itself', `return Deno.readTextFileSync('/etc/passwd')`],
    ['reads a file of the server', `return require('fs').readFileSync('${join(folder, 'secret.txt')}', 'utf8')`],
    [
      "reads the server's environment",
      `return require('fs').readFileSync('/proc/' + process.ppid + '/environ', 'utf8')`,
    ],
    ['reads its own environment', `return require('fs').readFileSync('/proc/self/environ', 'utf8')`],
    ['lists a folder', `return require('fs').readdirSync('/')`],
    ['writes a file', `require('fs').writeFileSync('/tmp/gw-probe-written', 'x'); return 'written'`],
    ['writes where it runs', `require('fs').writeFileSync('written', 'x'); return 'written'`],
    ['makes a symbolic link', `require('fs').symlinkSync('/etc/passwd', '/tmp/gw-probe-link'); return 'linked'`],
    [
      'goes over a link named node_modules',
      `return require('module').createRequire('/')('${folder}/node_modules/passwd')`,
    ],
    [
      'goes up out of a folder node_modules',
      `return require('module').createRequire('/')('/tmp/node_modules/../../etc/passwd')`,
    ],
    ['imports a file of the server', `return Object.keys(await import('file://${import.meta.filename}'))`],
    ['opens a database file', `new (require('node:sqlite').DatabaseSync)('/tmp/gw-probe.db'); return 'opened'`],
    ['starts a process', `return require('child_process').execSync('id').toString()`],
    ['starts one by Deno', `return String(new Deno.Command('id').outputSync().code)`],
    [
      'forks',
      `return await new Promise((done, fail) => require('child_process').fork('/tmp/x.js').on('spawn', done).on('error', fail))`,
    ],
    ['sends the server a signal', `process.kill(process.ppid, 'SIGTERM'); return 'sent'`],
    ['loads machine code', `return Object.keys(Deno.dlopen('libc.so.6', {}))`],
    ['loads an addon', `process.dlopen({ exports: {} }, '/tmp/x.node'); return 'loaded'`],
    ['asks for the addresses of this machine', 'return JSON.stringify(Deno.networkInterfaces())'],
    ['fetches a file', `return (await fetch('file:///etc/passwd')).text()`],
    ['imports from the web', `return Object.keys(await import('https://deno.land/std/version.ts'))`],
    ['imports from npm', `return Object.keys(await import('npm:lodash'))`],
    [
      'asks for a permission',
      `return (await Deno.permissions.request({ name: 'read' })).state === 'granted' ? 'granted' : (() => { throw new Error('permission denied') })()`,
    ],
    [
      'reads by a worker',
      `const { Worker } = require('worker_threads'); return await new Promise((done, fail) => { const worker = new Worker("require('worker_threads').parentPort.postMessage(require('fs').readFileSync('/etc/passwd','utf8'))", { eval: true }); worker.on('message', done); worker.on('error', (e) => fail(new Error('denied ' + e))); })`,
    ],
    ['reaches the core through a binding', `return JSON.stringify(process.binding('fs').open('/etc/passwd'))`],
    [
      'goes through the constructor of constructors',
      `return this.constructor.constructor('return require("fs").readFileSync("/etc/passwd","utf8")')()`,
    ],
  ])('it is refused who %s', async (_what, body) => {
    const outcome = await execute(probe(body));
    expect(seen(outcome)).toMatch(/^ERROR|^crashed$/);
  });

  it('modules that list the addresses of this machine find none', async () => {
    const outcome = await execute(probe(`return JSON.stringify(require('os').networkInterfaces())`));
    expect(seen(outcome)).toBe('{}');
  });

  it('the environment is made from scratch', async () => {
    const outcome = await execute(probe('return JSON.stringify(process.env)'));
    const names = outcome.ok ? Object.keys(JSON.parse(Object(outcome.result).user.out)) : [];
    const known = ['DENO_DIR', 'DENO_NO_UPDATE_CHECK', 'HOME', 'LANG', 'NO_COLOR', 'TZ'];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(0);
  });

  it('runs under another account, without any right, at a low priority', async ({ skip }) => {
    if (process.getuid?.() !== 0) return skip('only root may choose the account');
    const outcome = await execute(probe('return process.pid'));
    const pid = Number(seen(outcome));
    const { readFile } = await import('node:fs/promises');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\s*(6[1-9]\d{3})\s+\1\s+\1\s+\1$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
    expect(status).toMatch(/^CapEff:\s*0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
    // Lower for a moment where what came before took a core for itself.
    await expect.poll(async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')[18]).toBe('10');
    const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max data size\s+1073741824/m);
    expect(limits).toMatch(/^Max open files\s+256/m);
    expect(limits).toMatch(/^Max core file size\s+0/m);
  });
});

describe('exhaustion and forgery', () => {
  const hang = (body: string) => rules(`function (user, context, callback) { ${body} }`);
  const ENDED: readonly [string, string, readonly FailureKind[]][] = [
    ['loops', 'for (;;);', ['timeout']],
    ['starves with microtasks', 'const again = () => Promise.resolve().then(again); again();', ['timeout']],
    ['matches a hostile expression', '/^(a+)+$/.test("a".repeat(40) + "!");', ['timeout']],
    [
      'loops in a worker and waits',
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
      ['timeout', 'threw'],
    ],
    [
      'allocates 2 GB on the heap',
      'const all = []; for (;;) all.push(new Array(1e6).fill({}));',
      ['crashed', 'timeout'],
    ],
    [
      'raises its heap limit first',
      'require("v8").setFlagsFromString("--max-old-space-size=8000"); const all = []; for (;;) all.push(new Array(1e6).fill(1.5));',
      ['crashed', 'timeout', 'threw'],
    ],
    [
      'allocates 2 GB off the heap',
      'const all = []; for (;;) all.push(new Uint8Array(1e8).fill(1));',
      ['crashed', 'threw', 'timeout'],
    ],
    ['floods the console', 'for (;;) console.log("x".repeat(1000));', ['too_much_output']],
    ['floods it with empty lines', 'for (;;) console.log();', ['too_much_output']],
    [
      'writes one line without end',
      'for (;;) require("fs").writeSync(1, "x".repeat(65536));',
      ['too_much_output', 'recycled', 'threw'],
    ],
    ['exits', 'process.exit(0);', ['crashed']],
    ['kills itself', 'process.kill(process.pid, "SIGKILL");', ['crashed']],
    ['aborts', 'process.abort();', ['crashed', 'threw']],
    ['exits by Deno', 'Deno.exit(0);', ['crashed']],
    ['writes what is no message', 'Deno.stdout.writeSync(new TextEncoder().encode("hello\\n"));', ['crashed']],
    [
      'answers for a job that it does not know',
      'Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ type: "result", id: "0".repeat(32), result: {} }) + "\\n"));',
      ['crashed'],
    ],
    [
      'says that it is ready',
      'Deno.stdout.writeSync(new TextEncoder().encode("{\\"type\\":\\"ready\\"}\\n"));',
      ['crashed'],
    ],
    [
      'answers heartbeats of its own',
      'Deno.stdout.writeSync(new TextEncoder().encode("{\\"type\\":\\"pong\\",\\"beat\\":\\"x\\"}\\n"));',
      ['crashed'],
    ],
    ['closes the way out', 'Deno.stdout.close();', ['timeout', 'crashed', 'threw']],
    ['steals what comes in', 'process.stdin.on("data", () => {}); process.stdin.resume();', ['timeout', 'crashed']],
  ];

  it.each(ENDED)(
    'of code that %s ends with its own container, and another tenant is served meanwhile',
    async (_what, body, kinds) => {
      const endOfHolds = measureHolds();
      const attack = execute({ ...hang(body), tenantId: 'hostile', limitMs: 1_500 });
      const other = await execute({ ...probe('return 6 * 7'), tenantId: 'other' });
      expect(other).toMatchObject({ ok: true, result: { user: { out: 42 } } });
      const outcome = await attack;
      const longest = endOfHolds();
      expect(outcome.ok ? 'ok' : outcome.failure.kind).toBeOneOf([...kinds]);
      if (!outcome.ok && outcome.failure.kind !== 'threw')
        expect(events.at(-1)).toMatchObject({ type: 'container_ended', tenantId: 'hostile' });
      expect(longest(99)).toBeLessThan(100);
    },
  );

  it('breaks neither the protocol nor the next rule where code replaces what everybody uses', async () => {
    const body = `
      Object.prototype.polluted = 'yes'; Array.prototype.toJSON = () => 'gone';
      JSON.stringify = () => '{}'; JSON.parse = () => { throw new Error('no'); };
      globalThis.setTimeout = () => 0; console.log = () => { throw new Error('no'); };
      return 'done';`;
    expect(await execute({ ...probe(body), tenantId: 'polluter' })).toMatchObject({
      ok: true,
      result: { user: { out: 'done' } },
    });
    const next = await execute({ ...probe('return 1 + 1'), tenantId: 'polluter' });
    expect(next).toMatchObject({ ok: true, result: { user: { out: 2 } } });
    expect(Object.keys({})).toEqual([]);
    expect('polluted' in {}).toBe(false);
  });
});
