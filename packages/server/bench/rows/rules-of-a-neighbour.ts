import { median } from '../program.ts';
import { loginForm, times, tokenRequest } from '../requests.ts';
import type { Figure } from '../row.ts';
import { milliseconds, type Subject, targetOf, type Workbench } from '../workbench.ts';
import type { SetRules } from './rules.ts';
import { loginOfNewTenant } from './rules-in-logins.ts';

const LOGINS = 4;
const LOOPING = 2;

/** p95 of logins of one tenant, while logins of another one loop in its rule. */
export async function measureNeighbour(
  workbench: Workbench,
  subject: Subject,
  dataDir: string,
  setRules: SetRules,
): Promise<Figure> {
  const { settings } = workbench;
  const target = targetOf(subject);
  const logins = times(LOGINS, await loginOfNewTenant(dataDir, 'neighbour'));
  const send = await workbench.load();
  const attack = workbench.loader();
  const attacker = times(LOOPING, tokenRequest(loginForm(subject)));
  const p95 = async () => (await send(target, { requests: logins, seconds: settings.seconds })).p95;
  await setRules(['function (user, context, callback) { for (;;); }']);
  await p95();
  const calm: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    calm.push(await p95());
    // Its logins fail after twenty seconds, which is what they are for.
    const attacking = attack(target, { requests: attacker, each: 1 }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    beside.push(await p95());
    await attacking;
  }
  return {
    work: 'p95 of logins beside a tenant whose rule never ends',
    ours: milliseconds(median(beside) / 1000),
    yardstick: `in calm ${milliseconds(median(calm) / 1000)}`,
    measured: median(beside.map((value, round) => value / (calm[round] ?? Number.NaN))),
    unit: 'times',
    goal: { is: 'at most', limit: 1.2 },
  };
}
