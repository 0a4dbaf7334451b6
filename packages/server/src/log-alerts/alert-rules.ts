import { FAILED, REST, SUCCEEDED } from '../log-rollups/rollup.ts';
import type { HourTotals, Signal, SignalsStore } from '../log-rollups/signals-store.ts';
import { logTypes } from '../logs/log-types.ts';
import type { AlertRule, Finding } from './alert.ts';

/** What one look found: what alarms, and what is loud enough to keep an alert open that is. Quiet is what is in neither. */
export interface Look {
  readonly firing: readonly Finding[];
  readonly lingering: readonly Pick<Finding, 'tenantId' | 'rule' | 'subject'>[];
}

/** The minutes that bursts are counted in. */
const WINDOW_MILLISECONDS = 5 * 60_000;
const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

const LIMITS: ReadonlySet<string> = new Set(
  [logTypes.rateLimited, logTypes.userinfoLimited, logTypes.delegationLimited].map(({ code }) => code),
);
/** Once each: an exchange that fails for a wrong password (`fepft`) is told besides. */
const WRONG_CREDENTIALS: ReadonlySet<string> = new Set(
  [logTypes.loginFailed, logTypes.wrongPassword, logTypes.unknownUser, logTypes.crossOriginLoginFailed].map(
    ({ code }) => code,
  ),
);
const GAPS: ReadonlySet<string> = new Set([logTypes.recordsPurged.code]);

/** How many of them in the window open an alert, and how many keep it open. */
const BURSTS = {
  address: { open: 30, linger: 10 },
  /** Of addresses that are too many to be told apart: one attack from everywhere. */
  everywhere: { open: 300, linger: 100 },
  user: { open: 20, linger: 5 },
} as const;
/** Failures among all attempts of an hour, beside the same hour of last week. */
const RATIO = { fewestAttempts: 50, open: 0.2, openTimes: 3, linger: 0.1, lingerTimes: 1.5 } as const;

/** Looks at the counts once. */
export async function lookAtCounts(signals: SignalsStore, now: Date): Promise<Look> {
  const window = { from: new Date(now.getTime() - WINDOW_MILLISECONDS), to: now };
  const hour = new Date(Math.floor(now.getTime() / HOUR) * HOUR);
  const [limits, addresses, users, gaps] = [
    await signals.byClient(window, LIMITS, 1),
    await signals.byAddress(window, WRONG_CREDENTIALS, BURSTS.address.linger),
    await signals.byUser(window, WRONG_CREDENTIALS, BURSTS.user.linger),
    await signals.byClient(window, GAPS, 1),
  ];
  const ratio = await lookAtRatios(signals, hour);
  const isEverywhere = ({ subject }: Signal) => subject === REST;
  return {
    firing: [
      ...limits.map(rateLimitFinding),
      ...addresses
        .filter((signal) => signal.n >= (isEverywhere(signal) ? BURSTS.everywhere : BURSTS.address).open)
        .map(addressFinding),
      ...users.filter(({ subject, n }) => subject !== REST && n >= BURSTS.user.open).map(userFinding),
      ...gaps.map(gapFinding),
      ...ratio.firing,
    ],
    lingering: [
      ...addresses
        .filter((signal) => !isEverywhere(signal) || signal.n >= BURSTS.everywhere.linger)
        .map(as('failures-of-address')),
      ...users.map(as('failures-of-user')),
      ...ratio.lingering,
    ],
  };
}

async function lookAtRatios(signals: SignalsStore, hour: Date): Promise<Look> {
  const [present, before] = [
    await signals.totals(hour, FAILED, SUCCEEDED),
    await signals.totals(new Date(hour.getTime() - WEEK), FAILED, SUCCEEDED),
  ];
  const lastWeek = new Map(before.map((totals) => [totals.tenantId, totals]));
  const firing: Finding[] = [];
  const lingering: Look['lingering'][number][] = [];
  for (const totals of present) {
    const base = lastWeek.get(totals.tenantId);
    // Without a last week there is nothing to be unusual against; and few attempts say nothing.
    if (!base || attemptsOf(base) < RATIO.fewestAttempts || attemptsOf(totals) < RATIO.fewestAttempts) continue;
    const [ratio, usual] = [ratioOf(totals), ratioOf(base)];
    const one = { tenantId: totals.tenantId, rule: 'error-ratio', subject: '' } as const;
    if (ratio >= RATIO.linger && ratio >= RATIO.lingerTimes * usual) lingering.push(one);
    if (ratio < RATIO.open || ratio < RATIO.openTimes * usual) continue;
    firing.push(await ratioFinding(signals, hour, totals, usual));
  }
  return { firing, lingering };
}

async function ratioFinding(signals: SignalsStore, hour: Date, totals: HourTotals, usual: number): Promise<Finding> {
  const { tenantId, failed } = totals;
  const { client, rule } = await signals.causes(tenantId, hour, FAILED);
  const ratio = ratioOf(totals);
  // What most of them have in common.
  const isRule = rule !== undefined && rule.n * 2 >= failed;
  const isClient = client !== undefined && client.n * 2 >= failed;
  const cause = isRule
    ? ` Most of them come of the rule '${rule.name}'.`
    : isClient
      ? ` Most of them come through the application ${client.id}.`
      : '';
  return {
    tenantId,
    rule: 'error-ratio',
    subject: '',
    facts: {
      summary: `${percent(ratio)} of the logins and token requests of this hour failed; in the same hour of last week ${percent(usual)} did.${cause}`,
      suggestion: isRule
        ? 'gatewright logs tail --console shows what the rule prints and why it fails.'
        : 'Look at the failed events of this hour: GET /api/v2/logs with the types named here.',
      count: failed,
      since: hour.toISOString(),
      ratio: rounded(ratio),
      ratio_last_week: rounded(usual),
      ...(isClient && { clients: [client.id] }),
      ...(isRule && { rule_name: rule.name }),
    },
  };
}

function rateLimitFinding({ tenantId, subject, n, since, types, clients }: Signal): Finding {
  const who = subject === '' ? 'Requests without an application' : `The application ${inOneLine(subject)}`;
  const userinfo = types.includes(logTypes.userinfoLimited.code) ? ' at /userinfo' : '';
  return {
    tenantId,
    rule: 'rate-limit',
    subject,
    facts: {
      summary: `${who} reached a rate limit${userinfo}: ${n} events (${types.join(', ')}) since ${since.toISOString()}.`,
      suggestion: userinfo
        ? 'Keep the answers of /userinfo, or read the ID token instead.'
        : 'Keep tokens and answers as long as they are good, and send what repeats at a slower pace.',
      count: n,
      since: since.toISOString(),
      types,
      clients,
    },
  };
}

function addressFinding({ tenantId, subject, n, since, types, clients }: Signal): Finding {
  const who = subject === REST ? 'Many addresses' : subject;
  return {
    tenantId,
    rule: 'failures-of-address',
    subject,
    facts: {
      summary: `${n} logins failed from ${who} since ${since.toISOString()}.`,
      suggestion:
        'Somebody may be trying passwords: look at the users named in these events, and block the address at your proxy.',
      count: n,
      since: since.toISOString(),
      types,
      clients,
    },
  };
}

function userFinding({ tenantId, subject, n, since, types }: Signal): Finding {
  return {
    tenantId,
    rule: 'failures-of-user',
    subject,
    facts: {
      summary: `${n} logins of the user ${inOneLine(subject)} failed since ${since.toISOString()}.`,
      suggestion:
        'An application may have an old password, or somebody is guessing: ask the user, or block them for now.',
      count: n,
      since: since.toISOString(),
      types,
    },
  };
}

/** Whoever tries to log in chooses the name: it adds no line to a message. */
function inOneLine(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}

function gapFinding({ tenantId, n, since }: Signal): Finding {
  return {
    tenantId,
    rule: 'log-gap',
    subject: '',
    facts: {
      summary: `Days of the log were removed before a log stream had delivered them (${n} events of the type resource_cleanup say which).`,
      suggestion:
        'Delete a stream that nobody needs, mend its sink, or keep the log longer: gatewright logs retention.',
      count: n,
      since: since.toISOString(),
    },
  };
}

function as(rule: AlertRule) {
  return ({ tenantId, subject }: Signal) => ({ tenantId, rule, subject });
}

function attemptsOf({ failed, succeeded }: HourTotals): number {
  return failed + succeeded;
}

function ratioOf(totals: HourTotals): number {
  return totals.failed / attemptsOf(totals);
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}

function rounded(ratio: number): number {
  return Math.round(ratio * 1_000) / 1_000;
}
