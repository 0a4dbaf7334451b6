import type { Client } from '../../clients/client.ts';
import type { AuditEvent, Requester } from '../../logs/event.ts';
import type { LogType } from '../../logs/log-types.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { Parameters } from '../parameters.ts';
import type { Possession } from '../possession/possession.ts';
import type { TokenResponse } from '../tokens/user-tokens.ts';

/** A request at the token endpoint whose client is authenticated and may use the grant. */
export interface Exchange {
  readonly tenant: Tenant;
  readonly origin: string;
  readonly requester: Requester;
  readonly client: Client;
  readonly parameters: Parameters;
  readonly grantType: string;
  /** Keys that the request proved to hold; what is issued may be bound to them. */
  readonly possession: Possession;
}

/** One grant type: a file each, listed in app.ts. It records its success; the endpoint records what it throws. */
export interface Grant {
  readonly grantTypes: readonly string[];
  /** A client needs no grant type of this name: the grant itself decides. */
  readonly isOpenToEveryClient?: true;
  /** The event of a refused exchange. */
  readonly failed: LogType;
  exchange(exchange: Exchange): Promise<TokenResponse>;
}

/** Members that every event of an exchange has. */
export function exchangeEvent({ requester, client }: Pick<Exchange, 'requester' | 'client'>): Omit<AuditEvent, 'type'> {
  return { ...requester, clientId: client.clientId, clientName: client.name };
}

const recorded = new WeakSet<Error>();

/** Marks an error whose event is written already (a reuse, with the revocation that it caused). */
export function asRecorded<Thrown extends Error>(error: Thrown): Thrown {
  recorded.add(error);
  return error;
}

export function isRecorded(error: Error): boolean {
  return recorded.has(error);
}
