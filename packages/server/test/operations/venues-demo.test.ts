import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWithMemcached } from '../../../api-guard/test/memcached.ts';
import { run } from './command.ts';

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
      expect(code).toBe(0);
    },
    MILLISECONDS,
  );

  it('npm run demo:check -- --fast says what it takes instead', async () => {
    const refused = run(['--fast'], { command: CHECK });
    expect(await refused.ended).toMatchObject({ code: 1 });
    expect(refused.printed()).toMatch(/^demo:check: Unknown option '--fast'[\s\S]*^Usage: npm run demo:check/m);
  });
});
