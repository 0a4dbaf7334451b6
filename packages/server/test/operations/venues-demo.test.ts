import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeWithMemcached } from '../../../api-guard/test/memcached.ts';
import { run } from './command.ts';

const DEMO = fileURLToPath(new URL('../../../../examples/venues/demo.ts', import.meta.url));
const CHECK = fileURLToPath(new URL('../../../../examples/venues/demo-check.ts', import.meta.url));
/** A minute on a quiet machine; what hangs is ended by its own deadlines. */
const MILLISECONDS = 600_000;
const IDS = Array.from({ length: 21 }, (_, index) => `PWD.${index + 1}`);

describeWithMemcached('the example of the password-grant architecture', () => {
  it(
    'npm run demo:check: each requirement holds, and once more with memcached killed on the way',
    async () => {
      const check = run([], { command: CHECK });
      const { code } = await check.ended;
      const printed = check.printed();
      const [, first = '', second = ''] = printed.split(/^(?:First|Second) pass.*$/m);
      const held = (pass: string) => IDS.filter((id) => new RegExp(`^${id.replace('.', '\\.')} +ok `, 'm').test(pass));
      expect(held(first), printed).toEqual(IDS);
      expect(held(second), printed).toEqual(IDS);
      expect(second).toMatch(/^killed +ok [\s\S]*^back +ok /m);
      expect(printed).not.toContain('FAILED');
      expect(printed).toMatch(
        /^PWD\.5 .*\n +seen: +1000 requests at once with one new token: \d+ misses, 1 question, all 200/m,
      );
      expect(printed).toMatch(/^PWD\.21 .*\n +seen: .* in \d+ login forms, and nowhere else$/m);
      expect(code).toBe(0);
    },
    MILLISECONDS,
  );
});

describe('npm run demo and npm run demo:check', () => {
  it.each([
    ['demo', DEMO],
    ['demo:check', CHECK],
  ])('%s says what to install where there is no memcached', async (name, command) => {
    const refused = run([], { command, env: { PATH: '/nowhere' } });
    expect(await refused.ended).toMatchObject({ code: 1 });
    expect(refused.printed()).toContain(`${name}: There is no memcached in the PATH.`);
    expect(refused.printed()).toContain('apt-get install memcached');
  });

  it.each([
    ['demo', DEMO],
    ['demo:check', CHECK],
  ])('%s -- --fast says what it takes instead', async (name, command) => {
    const refused = run(['--fast'], { command });
    expect(await refused.ended).toMatchObject({ code: 1 });
    expect(refused.printed()).toMatch(
      new RegExp(`^${name}: Unknown option '--fast'[\\s\\S]*^Usage: npm run ${name}`, 'm'),
    );
  });
});
