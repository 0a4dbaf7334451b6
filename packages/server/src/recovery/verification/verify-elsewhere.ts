import { setTimeout as sleepFor } from 'node:timers/promises';
import { keepingOf, scriptOf } from '../../connections/custom-database.ts';
import type { RemoteDirectory } from '../../custom-databases/remote-directory.ts';
import { toldToUser } from '../../custom-databases/script-failure.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { FoundTicket } from '../find-ticket.ts';
import { ticketErrors } from '../ticket.ts';
import type { TicketStore } from '../ticket-store.ts';

interface Parts {
  /** On the pool. */
  readonly tickets: Pick<TicketStore, 'find' | 'claim' | 'release'>;
  readonly directory: RemoteDirectory;
  readonly now: () => Date;
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

export type VerifyElsewhere = (tenant: Tenant, found: FoundTicket) => Promise<void>;

/** Longer than a script with its waiting. Where the server is killed meanwhile, the link is good again after that. */
const CLAIM_MILLISECONDS = 60_000;
const BETWEEN_LOOKS_MS = 250;
const MOST_LOOKS = 40;

/**
 * Tells a custom database that an address is proved. The link is claimed first: of two clicks at once (a scanner of mails and
 * its reader) one runs the script, and the other one waits for what becomes of it. A script that fails gives the link back.
 */
export function createVerifyElsewhere({ tickets, directory, now, sleep = sleepFor }: Parts): VerifyElsewhere {
  return async function verifyElsewhere(tenant, { hash, ticket, connection }) {
    const { tenantId } = tenant;
    const { email } = ticket;
    if (email === undefined || keepingOf(connection) !== 'remote' || !scriptOf(connection, 'verify')) return;
    await claim(tenantId, hash);
    try {
      await directory.verify({ tenant, connection, told: toldToUser }, email);
    } catch (error) {
      await tickets.release(tenantId, hash);
      throw error;
    }
  };

  async function claim(tenantId: string, hash: string): Promise<void> {
    for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
      const time = now();
      if (await tickets.claim(tenantId, hash, time, new Date(time.getTime() + CLAIM_MILLISECONDS))) return;
      const ticket = await tickets.find(tenantId, hash, 'email-verification');
      if (!ticket || ticket.usedAt !== undefined || ticket.expiresAt <= time) throw ticketErrors.invalid();
      await sleep(BETWEEN_LOOKS_MS);
    }
    throw toldToUser({ script: 'verify', kind: 'busy' });
  }
}
