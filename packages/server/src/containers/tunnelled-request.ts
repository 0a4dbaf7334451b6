import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of a request that tenant code made through its tunnel: no header says it. */
export interface Tunnelled {
  readonly tenantId: string;
  /** A registered origin of that tenant. */
  readonly origin: string;
  /** How many executions are around it: what it starts is this deep. */
  readonly depth: number;
}

// Ambient, since it has to cross the front door: nothing inside a request could be trusted to carry it.
const requests = new AsyncLocalStorage<Tunnelled>();

export function tunnelledRequest(): Tunnelled | undefined {
  return requests.getStore();
}

export function asTunnelled<T>(tunnelled: Tunnelled, work: () => T): T {
  return requests.run(tunnelled, work);
}

/** What a process or a timer does later belongs to nobody's request. */
export function outsideRequests<T>(work: () => T): T {
  return requests.exit(work);
}
