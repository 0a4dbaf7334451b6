import { median } from '../program.ts';
import { bearerRequest, fetchTokens, loginForm, times, tokenRequest } from '../requests.ts';
import type { Row } from '../row.ts';
import { milliseconds, targetOf } from '../workbench.ts';

const LOGINS = 500;
/** Some 500 hashes on two cores; readers are asked for as long as that. */
const STORM_SECONDS = 6;
const READERS = 8;
/** Readers leave the server room: a server that is busy with them alone would hide the storm. */
const PAUSE_MILLISECONDS = 20;

/** 500 logins at once, all of which succeed, and meanwhile eight people who ask /userinfo every 20 ms. */
export const hashStorm: Row = {
  name: 'hash-storm',
  async measure(workbench) {
    const subject = await workbench.subject();
    const target = targetOf(subject);
    const scope = 'openid profile email';
    const { access_token } = await fetchTokens(subject, loginForm(subject, { scope }));
    const readers = times(READERS, bearerRequest('/userinfo', access_token));
    const logins = times(LOGINS, tokenRequest(loginForm(subject, { scope })));
    const read = await workbench.load();
    const storm = workbench.loader();
    const readFor = (seconds: number) =>
      read(target, { requests: readers, seconds, pauseMilliseconds: PAUSE_MILLISECONDS });

    const calm: number[] = [];
    const stormy: number[] = [];
    await readFor(1);
    for (let round = 0; round < workbench.settings.rounds; round++) {
      calm.push((await readFor(workbench.settings.seconds)).p95);
      const logging = storm(target, { requests: logins, each: 1 });
      stormy.push((await readFor(STORM_SECONDS)).p95);
      await logging;
    }
    return [
      {
        work: `/userinfo p95 while ${LOGINS} log in at once`,
        ours: milliseconds(median(stormy) / 1000),
        yardstick: `the same in calm ${milliseconds(median(calm) / 1000)}`,
        measured: median(stormy.map((value, round) => value / (calm[round] ?? Number.NaN))),
        unit: 'times',
        goal: { is: 'at most', limit: 3 },
      },
    ];
  },
};
