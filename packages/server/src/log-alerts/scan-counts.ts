import type { Transact } from '../db/transact.ts';
import type { SignalsStore } from '../log-rollups/signals-store.ts';
import type { Alert, Finding } from './alert.ts';
import { lookAtCounts } from './alert-rules.ts';
import type { AlertStore } from './alert-store.ts';
import type { TellOfAlerts } from './tell-of-alerts.ts';

interface Parts<Stores> {
  readonly signals: SignalsStore;
  readonly alerts: Pick<AlertStore, 'open'>;
  /** What alarms by itself, without a count: exports that are late. */
  readonly others: (now: Date) => Promise<readonly Finding[]>;
  readonly transact: Transact<Stores>;
  readonly tell: TellOfAlerts<Stores>;
  readonly now: () => Date;
}

/** Looks in succession that find it quiet, a minute apart, before an alert is resolved. */
export const QUIET_LOOKS = 2;
/** Of one rule and one tenant: an attacker with many addresses opens no more than these, and one for all the others. */
export const MOST_OF_A_RULE = 20;

type Key = Pick<Finding, 'tenantId' | 'rule' | 'subject'>;

/** Opens and resolves alerts by what the counts show now, each tenant in one transaction with what is sent about it. */
export function createScan<Stores extends { readonly alerts: AlertStore }>(parts: Parts<Stores>) {
  const { signals, alerts, others: findOthers, transact, tell, now } = parts;

  return async function scan(): Promise<void> {
    const time = now();
    const { firing: counted, lingering } = await lookAtCounts(signals, time);
    const firing = [...counted, ...(await findOthers(time))];
    const open = await alerts.open();
    const stays = new Set([...firing, ...lingering].map(textOf));
    const isOpen = new Set(open.map(textOf));
    const tenantIds = new Set([...firing, ...open].map(({ tenantId }) => tenantId));
    for (const tenantId of tenantIds) {
      const isOwn = (one: Key) => one.tenantId === tenantId;
      const findings = bounded(firing.filter(isOwn), isOpen);
      const told = new Set(findings.map(textOf));
      const others = open.filter(isOwn).filter((one) => !told.has(textOf(one)));
      const prepared = await tell.prepare(tenantId);
      await transact(async (stores) => {
        const changed: Alert[] = [];
        for (const finding of findings) push(changed, await stores.alerts.fire(finding, time));
        for (const { alertId, ...one } of others) {
          if (stays.has(textOf(one))) await stores.alerts.linger(tenantId, alertId);
          else push(changed, await stores.alerts.quieten(tenantId, alertId, QUIET_LOOKS, time));
        }
        const news = changed.filter(({ mutedUntil }) => mutedUntil === undefined || mutedUntil <= time);
        if (news.length > 0) await tell.send(stores, prepared, news);
      });
    }
  };
}

/** Those that are open already, then the largest; the rest is one finding about many. */
function bounded(findings: readonly Finding[], isOpen: ReadonlySet<string>): Finding[] {
  const kept: Finding[] = [];
  const left = new Map<string, Finding[]>();
  const counts = new Map<string, number>();
  const known = (finding: Finding) => (isOpen.has(textOf(finding)) ? 0 : 1);
  for (const finding of findings.toSorted((a, b) => known(a) - known(b) || b.facts.count - a.facts.count)) {
    const count = counts.get(finding.rule) ?? 0;
    counts.set(finding.rule, count + 1);
    if (count < MOST_OF_A_RULE) kept.push(finding);
    else left.set(finding.rule, [...(left.get(finding.rule) ?? []), finding]);
  }
  return [...kept, ...[...left.values()].flatMap(summedUp)];
}

function summedUp(findings: readonly Finding[]): Finding[] {
  const [first] = findings;
  if (!first) return [];
  const count = findings.reduce((sum, { facts }) => sum + facts.count, 0);
  const summary = `${findings.length} more of the kind: ${first.facts.summary}`;
  return [{ ...first, subject: '*', facts: { ...first.facts, count, summary } }];
}

function textOf({ tenantId, rule, subject }: Key): string {
  return JSON.stringify([tenantId, rule, subject]);
}

function push(alerts: Alert[], alert: Alert | undefined): void {
  if (alert) alerts.push(alert);
}
