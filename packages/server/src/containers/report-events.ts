import type { Log } from '../kit/log.ts';
import type { AuditEvent, RecordEvent } from '../logs/event.ts';
import type { ContainerEvent, LateWarning } from './job.ts';

interface Parts {
  readonly recordAlone: RecordEvent;
  readonly log: Log;
}

/** Tells the tenant what became of a container, and what its code did when its job had been answered. */
export function createContainerReporter({ recordAlone, log }: Parts) {
  return function report(event: ContainerEvent | LateWarning): void {
    // Of a job that it took along the flow tells by itself.
    if (event.type === 'container_ended' && event.part) return;
    recordAlone(event.tenantId, toAuditEvent(event)).catch((error: unknown) =>
      log.error('what happened in a container could not be recorded', { error }),
    );
  };
}

function toAuditEvent(event: ContainerEvent | LateWarning): AuditEvent {
  const part = 'part' in event ? event.part : undefined;
  switch (event.type) {
    case 'container_ended':
      return {
        type: 'loginWarned',
        description: `The container of the tenant's ${event.pool} was ended: ${event.detail}.`,
        details: { container: { pool: event.pool, reason: event.reason, ...(part && { part }) } },
      };
    case 'circuit_opened':
      return {
        type: 'loginWarned',
        description: `Too many containers of the tenant's ${event.pool} had to be ended: none is started for ${event.forMs / 1_000} s.`,
        details: { container: { pool: event.pool, reason: 'circuit_opened' } },
      };
    case 'late_warning':
      return {
        type: 'loginWarned',
        description: event.warning.text,
        details: { warning: event.warning.kind, ...(event.warning.part && { [partOf(event)]: event.warning.part }) },
      };
  }
}

const partOf = ({ kind }: LateWarning): string => (kind === 'rules' ? 'rule' : kind);
