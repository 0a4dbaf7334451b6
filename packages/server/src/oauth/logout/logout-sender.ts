import type { Client } from '../../clients/client.ts';
import { isDatabaseAway } from '../../db/database-away.ts';
import type { Transact } from '../../db/transact.ts';
import type { Log } from '../../kit/log.ts';
import type { RecordEvent } from '../../logs/event.ts';
import type { CallOut } from '../../outgoing/http-client.ts';
import { OutgoingError } from '../../outgoing/outgoing-error.ts';
import type { LogoutDelivery, LogoutDeliveryStore } from '../../sessions/logout-delivery-store.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { SignToken } from '../tokens/sign-token.ts';
import { signLogoutToken } from './logout-token.ts';

interface Parts {
  readonly deliveries: LogoutDeliveryStore;
  readonly sessions: Pick<SessionStore, 'endExpired' | 'tenantsWithExpired'>;
  readonly transact: Transact<{
    logoutDeliveries: Pick<LogoutDeliveryStore, 'finish' | 'postpone'>;
    record: RecordEvent;
  }>;
  readonly findTenant: (tenantId: string) => Promise<Tenant | undefined>;
  readonly findClient: (tenantId: string, clientId: string) => Promise<Client | undefined>;
  readonly signToken: SignToken;
  readonly callOut: CallOut;
  readonly log: Log;
  readonly now: () => Date;
}

export type LogoutSender = ReturnType<typeof createLogoutSender>;

const EVERY_MILLISECONDS = 1_000;
const SWEEP_EVERY_MILLISECONDS = 30_000;
const AT_ONCE = 20;
/** Of one tenant: a thousand logouts of one don't hold up the single one of another, though each of them hangs. */
const OF_A_TENANT = 5;
const TIMEOUT_MILLISECONDS = 5_000;
const LEASE_MILLISECONDS = 60_000;
/** Between the attempts: some 40 minutes, in which an application comes back from its deployment. */
const PAUSES_IN_SECONDS = [5, 30, 120, 600, 1_800];

/**
 * Sends the logout tokens that ended sessions left behind: at least once, by whichever process takes them first. Nothing is
 * kept in memory, so a process that is killed loses nothing.
 */
export function createLogoutSender(parts: Parts) {
  const { deliveries, sessions, transact, log, now } = parts;
  const running = new Set<Promise<void>>();
  const inFlight = new Map<string, number>();
  const timers: NodeJS.Timeout[] = [];

  /** One round; resolves when all that is under way has been answered. */
  async function deliver(): Promise<void> {
    await take();
    await settled();
  }

  async function take(): Promise<void> {
    const due = await deliveries.tenantsWithDue(now(), AT_ONCE);
    for (const tenantId of due.toSorted((a, b) => countOf(a) - countOf(b))) {
      const all = inFlight.values().reduce((sum, count) => sum + count, 0);
      const free = Math.min(OF_A_TENANT - countOf(tenantId), AT_ONCE - all);
      if (free <= 0) continue;
      const leaseEnd = new Date(now().getTime() + LEASE_MILLISECONDS);
      for (const delivery of await deliveries.claim(tenantId, now(), leaseEnd, free)) {
        const sending = send(tenantId, delivery).catch(complain);
        count(tenantId, 1);
        sending.finally(() => count(tenantId, -1));
        track(sending);
      }
    }
  }

  function countOf(tenantId: string): number {
    return inFlight.get(tenantId) ?? 0;
  }

  function count(tenantId: string, change: 1 | -1): void {
    const next = countOf(tenantId) + change;
    if (next === 0) inFlight.delete(tenantId);
    else inFlight.set(tenantId, next);
  }

  async function send(tenantId: string, delivery: LogoutDelivery): Promise<void> {
    const [tenant, client] = await Promise.all([
      parts.findTenant(tenantId),
      parts.findClient(tenantId, delivery.clientId),
    ]);
    // Gone since: so are its rows.
    if (!tenant || !client) return;
    const fault = await attempt(tenant, client, delivery);
    const pause = PAUSES_IN_SECONDS[delivery.attempts - 1];
    await transact(async ({ logoutDeliveries, record }) => {
      const isMine =
        fault === undefined || pause === undefined
          ? await logoutDeliveries.finish(tenantId, delivery)
          : await logoutDeliveries.postpone(tenantId, delivery, afterPause(pause));
      if (!isMine) return;
      await record(tenantId, {
        type: fault === undefined ? 'backchannelLogoutDelivered' : 'backchannelLogoutFailed',
        ...(fault !== undefined && { description: fault }),
        clientId: client.clientId,
        clientName: client.name,
        userId: delivery.userId,
        details: {
          backchannel_logout_url: delivery.url,
          session_id: delivery.sessionId,
          initiator: delivery.initiator,
          trace_id: delivery.deliveryId,
          attempt: delivery.attempts,
          ...(fault !== undefined && { will_retry: pause !== undefined }),
        },
      });
    });
  }

  /** What went wrong, in words for the log. */
  async function attempt(tenant: Tenant, client: Client, delivery: LogoutDelivery): Promise<string | undefined> {
    const logoutToken = await signLogoutToken(parts.signToken, tenant.tenantId, client, delivery, now());
    try {
      const { status } = await parts.callOut({
        url: delivery.url,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: logoutToken }).toString(),
        mayReachLoopback: tenant.environment === 'development',
        timeoutMilliseconds: TIMEOUT_MILLISECONDS,
        mostBytes: 65_536,
      });
      return status >= 200 && status < 300 ? undefined : `The application answered with the status ${status}.`;
    } catch (error) {
      if (error instanceof OutgoingError) return error.message;
      throw error;
    }
  }

  /** A fifth more or less, so that what failed together does not come again together. */
  function afterPause(seconds: number): Date {
    return new Date(now().getTime() + seconds * 1000 * (0.8 + Math.random() * 0.4));
  }

  /** Ends sessions whose time is over: otherwise nobody would notice until their browser comes back. */
  async function endExpired(): Promise<void> {
    for (const tenantId of await sessions.tenantsWithExpired(now(), 100)) {
      await sessions.endExpired(tenantId, now(), 500);
    }
  }

  function complain(error: unknown): void {
    if (!isDatabaseAway(error)) log.error('a logout token could not be sent', { error });
  }

  function every(milliseconds: number, work: () => Promise<unknown>): void {
    let isRunning = false;
    const run = async () => {
      isRunning = true;
      await work().catch(complain);
      isRunning = false;
    };
    const timer = setInterval(() => {
      if (!isRunning) track(run());
    }, milliseconds);
    timers.push(timer.unref());
  }

  /** A round that runs may begin to send. */
  async function settled(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
  }

  function track(work: Promise<void>): void {
    running.add(work);
    work.finally(() => running.delete(work));
  }

  return {
    deliver,
    endExpired,
    start(): void {
      every(EVERY_MILLISECONDS, take);
      every(SWEEP_EVERY_MILLISECONDS, endExpired);
    },
    async stop(): Promise<void> {
      for (const timer of timers.splice(0)) clearInterval(timer);
      await settled();
    },
  };
}
