import { median } from '../program.ts';
import { loginForm, times, tokenRequest } from '../requests.ts';
import type { Row } from '../row.ts';
import { targetOf } from '../workbench.ts';

const CONNECTIONS = 16;

/** Password-grant logins without rules, beside bare argon2id on all cores at the same priority. */
export const login: Row = {
  name: 'login',
  async measure(workbench) {
    const subject = await workbench.subject();
    const cores = await workbench.cores();
    const load = await workbench.load();
    const requests = times(CONNECTIONS, tokenRequest(loginForm(subject, { scope: 'openid profile email' })));
    await load(targetOf(subject), { requests, seconds: 2 });
    const logins: number[] = [];
    const hashes: number[] = [await cores.perSecond('argon2id', workbench.settings.seconds * 500)];
    const ratios: number[] = [];
    for (let round = 0; round < workbench.settings.rounds; round++) {
      const { answered, seconds } = await load(targetOf(subject), { requests, seconds: workbench.settings.seconds });
      const before = hashes.at(-1) ?? Number.NaN;
      const after = await cores.perSecond('argon2id', workbench.settings.seconds * 500);
      hashes.push(after);
      logins.push(answered / seconds);
      ratios.push(answered / seconds / ((before + after) / 2));
    }
    return [
      {
        work: 'password-grant logins a second',
        ours: `${median(logins).toFixed(1)}/s`,
        yardstick: `argon2id (19 MiB, 2, 1) of all cores ${median(hashes).toFixed(1)}/s`,
        measured: median(ratios),
        unit: 'of it',
        goal: { is: 'at least', limit: 0.85 },
      },
    ];
  },
};
