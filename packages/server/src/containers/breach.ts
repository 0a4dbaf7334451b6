import type { ContainerEvent } from './job.ts';
import type { RunningJob } from './running-job.ts';

export type EndReason = Extract<ContainerEvent, { type: 'container_ended' }>['reason'];

/** Thrown where a line of a container breaks the protocol or a limit: the container is ended. */
export class Breach extends Error {
  readonly reason: EndReason;
  readonly culprit: RunningJob | undefined;

  constructor(reason: 'protocol' | 'too_much_output', detail: string, culprit?: RunningJob) {
    super(detail);
    this.reason = reason;
    this.culprit = culprit;
  }
}
