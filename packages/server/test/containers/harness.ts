import { createHash } from 'node:crypto';
import { afterAll } from 'vitest';
import { createContainers } from '../../src/containers/containers.ts';
import type { ContainerEvent, Job, LateWarning, Outcome, Part } from '../../src/containers/job.ts';
import { type ContainerLimits, LIMITS } from '../../src/containers/limits.ts';
import { createLog } from '../../src/kit/log.ts';

type Parts = Parameters<typeof createContainers>[0];

/** Containers with real Deno, ended with the test file; what they told the operator is in `events`. */
export function startContainers({
  limits,
  ...parts
}: Partial<Omit<Parts, 'limits'>> & { limits?: Partial<ContainerLimits> } = {}) {
  const events: (ContainerEvent | LateWarning)[] = [];
  const containers = createContainers({
    log: createLog('json', () => undefined),
    // Cold starts take their time on busy machines.
    limits: { ...LIMITS, queueMs: 60_000, startMs: 60_000, ...limits },
    onEvent: (event) => events.push(event),
    ...parts,
  });
  afterAll(() => containers.stop());
  return { ...containers, events };
}

/** A pipeline of rules, each its code. */
export function rules(...codes: string[]): Job {
  const parts: Part[] = codes.map((code, index) => ({ id: `rul_${index + 1}`, name: `rule ${index + 1}`, code }));
  return {
    tenantId: 'dev',
    pool: 'scripts',
    kind: 'rules',
    program: { hash: createHash('sha256').update(JSON.stringify(parts)).digest('hex'), parts },
    input: { user: { user_id: 'auth0|1' }, context: { idToken: {} } },
  };
}

/** A rule around statements that fill `user.out`. */
export const probe = (body: string): Job =>
  rules(`async function (user, context, callback) {
    try { user.out = await (async () => { ${body} })(); } catch (error) { user.out = 'ERROR ' + error.name + ': ' + error.message; }
    callback(null, user, context);
  }`);

/** What the author gets to see. */
export function seen(outcome: Outcome): string {
  if (outcome.ok) return String(Object(outcome.result).user.out);
  const { kind, error } = outcome.failure;
  return error ? `ERROR ${error.name}: ${error.message}` : kind;
}
