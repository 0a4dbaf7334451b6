import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LogType } from '../logs/log-types.ts';
import type { CertificateLife } from '../tls/serving.ts';
import { grantOf, loginOutcomeOf, outcomeOf } from './event-labels.ts';
import { createRequestHistogram } from './request-histogram.ts';

/** What one process has counted, as it travels to the process that answers for all. */
export type MetricsSnapshot = object;

/** What is asked at each scrape. */
export interface Measured {
  readonly pool: { readonly totalCount: number; readonly idleCount: number; readonly waitingCount: number };
  readonly hasher: { waiting(): number; processIds(): readonly number[] };
  readonly eventWriter: { waiting(): number };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** The metrics of this process. Labels are closed sets: route templates, methods, grants; never a tenant, a client or a user. */
export function createMetrics({ pool, hasher, eventWriter }: Measured) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const requests = createRequestHistogram();
  const logins = new Counter({
    name: 'gatewright_logins_total',
    help: 'Logins by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const tokens = new Counter({
    name: 'gatewright_token_exchanges_total',
    help: 'Exchanges at the token endpoint by grant and outcome.',
    labelNames: ['grant', 'outcome'],
    registers,
  });
  const ruleRuns = new Counter({
    name: 'gatewright_rule_runs_total',
    help: 'Logins whose rules ran, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({ name, help, registers, collect: () => asked.get(name)?.set(value()) });
  const asked = new Map<string, Gauge>();
  for (const [name, help, value] of [
    ['gatewright_processes', 'Processes that answered this scrape.', () => 1],
    ['gatewright_database_connections', 'Open connections of the pools.', () => pool.totalCount],
    ['gatewright_database_connections_idle', 'Connections that nobody uses.', () => pool.idleCount],
    ['gatewright_database_requests_waiting', 'Requests that wait for a connection.', () => pool.waitingCount],
    ['gatewright_passwords_waiting', 'Passwords that wait to be hashed.', () => hasher.waiting()],
    ['gatewright_hash_processes', 'Processes that hash passwords.', () => hasher.processIds().length],
    ['gatewright_events_waiting', 'Audit events that wait to be written.', () => eventWriter.waiting()],
  ] as const)
    asked.set(name, gauge(name, help, value));

  return {
    observeRequest: requests.observe,
    /** Called once an event is committed. */
    countEvent(type: LogType): void {
      const login = loginOutcomeOf(type);
      if (login) logins.inc({ outcome: login });
      const grant = grantOf(type);
      if (grant) tokens.inc({ grant, outcome: outcomeOf(type) });
    },
    countRuleRun: (outcome: 'success' | 'failure') => ruleRuns.inc({ outcome }),
    snapshot: async (): Promise<MetricsSnapshot> => [...(await registry.getMetricsAsJSON()), requests.toJson()],
    /** How far scheduled exports are behind: asked at each scrape. */
    watchExports(lagSeconds: () => number): void {
      const lag: Gauge = new Gauge({
        name: 'gatewright_export_lag_seconds',
        help: 'Age of the oldest event that waits for the webhook of a scheduled export, 0 where none does.',
        aggregator: 'max',
        registers,
        collect: () => lag.set(lagSeconds()),
      });
    },
    /** When certificates end: asked at each scrape. */
    watchCertificates(certificates: () => readonly CertificateLife[]): void {
      const expiry: Gauge<'name'> = new Gauge({
        name: 'gatewright_certificate_not_after_seconds',
        help: 'When a certificate of the https listener ends, in UNIX seconds.',
        labelNames: ['name'],
        aggregator: 'min',
        registers,
        collect() {
          expiry.reset();
          for (const { name, notAfter } of certificates()) expiry.set({ name }, notAfter.getTime() / 1000);
        },
      });
    },
  };
}

/** Prometheus' text format, added up over the processes. */
export async function renderMetrics(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots] as Parameters<typeof AggregatorRegistry.aggregate>[0]).metrics();
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;
