import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Endpoint } from './authorization-server.ts';
import type { Turns } from './turns.ts';

export type ServiceMetrics = ReturnType<typeof createServiceMetrics>;
export type Outcome = 'active' | `refused_${string}` | 'away' | 'throttled' | 'malformed';

/** Labels are closed sets: callers as they were configured, reasons, endpoints; never a token or a user. */
export function createServiceMetrics(turns: Pick<Turns, 'busy' | 'waiting'>) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const questions = new Counter({
    name: 'gatewright_token_service_questions_total',
    help: 'Questions of callers by what they were told.',
    labelNames: ['caller', 'outcome'],
    registers,
  });
  const strangers = new Counter({
    name: 'gatewright_token_service_strangers_total',
    help: 'Requests without the secret of a caller.',
    registers,
  });
  const calls = new Histogram({
    name: 'gatewright_token_service_upstream_seconds',
    help: 'Calls to the authorization server; answered is no where it was away.',
    labelNames: ['endpoint', 'answered'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const underWay = new Gauge({
    name: 'gatewright_token_service_questions_under_way',
    help: 'Questions of callers that wait for their answer.',
    registers,
  });
  for (const [name, help, value] of [
    ['gatewright_token_service_upstream_busy', 'Questions to the authorization server under way.', turns.busy],
    ['gatewright_token_service_upstream_waiting', 'Questions that wait for their turn.', turns.waiting],
  ] as const)
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });

  return {
    type: registry.contentType,
    text: () => registry.metrics(),
    countQuestion: (caller: string, outcome: Outcome) => questions.inc({ caller, outcome }),
    beginQuestion: () => underWay.inc(),
    endQuestion: () => underWay.dec(),
    countStranger: () => strangers.inc(),
    observeCall: (call: { readonly endpoint: Endpoint; readonly seconds: number; readonly isAnswered: boolean }) =>
      calls.observe({ endpoint: call.endpoint, answered: call.isAnswered ? 'yes' : 'no' }, call.seconds),
  };
}
