import { median } from '../program.ts';
import { fetchTokens, loginForm, times, tokenRequest } from '../requests.ts';
import type { Figure } from '../row.ts';
import { milliseconds, type Subject, targetOf, type Workbench } from '../workbench.ts';
import { TRIVIAL } from './containers.ts';
import type { SetRules } from './rules.ts';

const REFRESHING = 50;

/**
 * What three rules add to refreshes on fifty connections. Sent as fast as they are answered, each waits for the work of
 * the other forty-nine: what a rate is lost of comes back as time. So the time is measured at half of the rate, too.
 */
export async function measureRefreshes(workbench: Workbench, subject: Subject, setRules: SetRules): Promise<Figure[]> {
  const { settings } = workbench;
  const send = await workbench.load();
  const scope = 'openid profile email offline_access';
  const login = loginForm(subject, { scope, audience: subject.firstRun.api.identifier });
  const form = { grant_type: 'refresh_token', ...subject.firstRun.password_client, refresh_token: '{refresh_token}' };
  const families = await Promise.all(times(REFRESHING, login).map((one) => fetchTokens(subject, one)));
  let tokens: readonly (string | undefined)[] = families.map(({ refresh_token }) => refresh_token);
  const round = async (codes: readonly string[], seconds: number, pauseMilliseconds = 0) => {
    await setRules(codes);
    const requests = tokens.map((refreshToken) => ({ ...tokenRequest(form), ...(refreshToken && { refreshToken }) }));
    const result = await send(targetOf(subject), { requests, seconds, pauseMilliseconds });
    tokens = result.refreshTokens;
    return result;
  };
  /** In turn, for what changes on the machine meanwhile. */
  const inTurn = async (pauseMilliseconds?: number) => {
    const pairs = [];
    for (let count = 0; count < settings.rounds; count++) {
      const without = await round([], settings.seconds, pauseMilliseconds);
      pairs.push({ without, ruled: await round(TRIVIAL, settings.seconds, pauseMilliseconds) });
    }
    return pairs;
  };
  await round([], settings.warmUpSeconds / 2);
  await round(TRIVIAL, settings.warmUpSeconds / 2);
  const full = await inTurn();
  const rate = median(full.map(({ without }) => without.answered / without.seconds));
  const half = await inTurn((2 * REFRESHING * 1000) / rate);

  const ratio = median(
    full.map(({ without, ruled }) => ruled.answered / ruled.seconds / (without.answered / without.seconds)),
  );
  const added = (work: string, pairs: typeof full): Figure => ({
    work,
    ours: `p99 ${milliseconds(median(pairs.map(({ ruled }) => ruled.p99)) / 1000)}`,
    yardstick: `without rules ${milliseconds(median(pairs.map(({ without }) => without.p99)) / 1000)}`,
    measured: median(pairs.map(({ without, ruled }) => ruled.p99 - without.p99)),
    unit: 'ms',
    goal: { is: 'at most', limit: 10 },
  });
  return [
    {
      work: `${REFRESHING} refreshes at once with three rules`,
      ours: `${(rate * ratio).toFixed(0)}/s`,
      yardstick: `without rules ${rate.toFixed(0)}/s`,
      measured: ratio,
      unit: 'of it',
      goal: { is: 'at least', limit: 0.6 },
    },
    added('the same: p99 added', full),
    added('the same at half of that rate: p99 added', half),
  ];
}
