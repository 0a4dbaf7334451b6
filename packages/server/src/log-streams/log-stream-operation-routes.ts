import { prefixedId } from '../kit/ids.ts';
import { flagOf, type Json, numberOf } from '../kit/json-values.ts';
import type { LogPosition } from '../logs/log-id.ts';
import { bodyFault } from '../management/body-limits.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { DeadLetter, DeadLetterStore } from './delivery/state/dead-letter-store.ts';
import { describeHealth } from './delivery/state/describe-health.ts';
import type { Replay, ReplayStore } from './delivery/state/replay-store.ts';
import { DAMAGES, type LogStream, logStreamErrors, type SigningSecret } from './log-stream.ts';
import type { LogStreamStores } from './log-stream-routes.ts';
import { readInstant } from './log-stream-wire.ts';
import { newSigningSecret } from './sign-delivery.ts';
import { SINKS } from './sinks/sink.ts';

interface Stores extends LogStreamStores {
  readonly deadLetters: DeadLetterStore;
  readonly streamReplays: ReplayStore;
}

interface Parts {
  /** Sends one event, now, and tells what happened. */
  readonly trySend: (tenant: Tenant, stream: LogStream) => Promise<Json>;
  readonly now: () => Date;
}

const HOUR = 3_600_000;
const OVERLAP_HOURS = 24;
const BEGINNING: LogPosition = { epoch: 0, xid: '0', seq: '0', day: '19700101' };

/** What /log-streams has beyond Auth0: how a stream does, once more what it should have had, a test, keys that sign. */
export function logStreamOperationRoutes<Inside extends Stores>(
  management: Management<Inside>,
  { trySend, now }: Parts,
): void {
  management.route('GET /log-streams/{id}/health', async (call) => {
    const { tenantId } = call.tenant;
    const stream = await streamOf(call);
    const delivery = await call.stores.streamDeliveries.find(tenantId, stream.id);
    if (!delivery) throw logStreamErrors.notFound();
    const [lag, deadLetters, replay] = await Promise.all([
      call.stores.logs.lag(tenantId, delivery.cursor),
      call.stores.deadLetters.count(tenantId, stream.id),
      call.stores.streamReplays.find(tenantId, stream.id),
    ]);
    return describeHealth({ stream, delivery, lag, deadLetters, replay, now: now() });
  });

  management.route('GET /log-streams/{id}/dead-letters', async (call) => {
    const { tenantId } = call.tenant;
    const { id } = await streamOf(call);
    return call.list('dead_letters', {
      page: (offset, limit) => call.stores.deadLetters.window(tenantId, id, offset, limit),
      count: () => call.stores.deadLetters.count(tenantId, id),
      toWire: toDeadLetterWire,
    });
  });

  management.route('POST /log-streams/{id}/replay', async (call) => {
    const { tenantId } = call.tenant;
    const stream = await streamOf(call);
    const replay = await readReplay(call, now());
    return call.commit(async ({ logStreams, streamReplays }) => {
      if (!(await logStreams.lock(tenantId, stream.id))) throw logStreamErrors.notFound();
      if (!(await streamReplays.begin(tenantId, stream.id, replay))) throw logStreamErrors.replayRuns();
      // Who delivers the stream hears of it by its version.
      await logStreams.update(tenantId, stream.id, {});
      return {
        id: replay.id,
        ...(replay.fromAt && { from: replay.fromAt.toISOString() }),
        to: replay.toAt.toISOString(),
        only_failed: replay.onlyFailed,
      };
    });
  });

  management.route('POST /log-streams/{id}/test', async (call) => {
    const stream = await streamOf(call);
    if (SINKS[stream.type] === undefined) throw logStreamErrors.cannotDeliver({ type: stream.type });
    if (stream.damage) throw logStreamErrors.damaged({ problem: DAMAGES[stream.damage] });
    const outcome = await trySend(call.tenant, stream);
    return call.commit(async () => outcome);
  });

  management.route('POST /log-streams/{id}/rotate-secret', async (call) => {
    const { tenantId } = call.tenant;
    const hours = numberOf(call.body.overlap_hours) ?? OVERLAP_HOURS;
    const until = new Date(now().getTime() + hours * HOUR).toISOString();
    const secret = newSigningSecret();
    return call.commit(async ({ logStreams }) => {
      const stream = await logStreams.lock(tenantId, call.params.id ?? '');
      if (!stream) throw logStreamErrors.notFound();
      const [previous] = stream.signingSecrets;
      const signingSecrets: SigningSecret[] = [{ secret }, ...(previous ? [{ secret: previous.secret, until }] : [])];
      await logStreams.update(tenantId, stream.id, { signingSecrets });
      return { signing_secret: secret, ...(previous && { previous_valid_until: until }) };
    });
  });
}

async function streamOf<Inside extends Stores>(call: ManagementCall<Inside>): Promise<LogStream> {
  const stream = await call.stores.logStreams.find(call.tenant.tenantId, call.params.id ?? '');
  if (!stream) throw logStreamErrors.notFound();
  return stream;
}

async function readReplay<Inside extends Stores>(call: ManagementCall<Inside>, now: Date): Promise<Replay> {
  const fromAt = readInstant('from', call.body.from);
  const toAt = readInstant('to', call.body.to) ?? now;
  const onlyFailed = flagOf(call.body.only_failed) ?? false;
  if (fromAt === undefined && !onlyFailed) throw bodyFault('Missing required property: from');
  if (fromAt !== undefined && fromAt > toAt) throw bodyFault('It begins after its end', 'from');
  const { logs } = call.stores;
  const last = await logs.end();
  const first = fromAt && !onlyFailed ? await logs.before(call.tenant.tenantId, fromAt) : BEGINNING;
  return {
    id: prefixedId('rpl'),
    fromAt,
    toAt,
    onlyFailed,
    position: first ?? last,
    last,
    sent: 0,
    createdAt: now,
    finishedAt: undefined,
  };
}

function toDeadLetterWire({ logId, tries, firstFailedAt, failedAt, status, problem, body }: DeadLetter): Json {
  return {
    log_id: logId,
    tries,
    first_failed_at: firstFailedAt.toISOString(),
    failed_at: failedAt.toISOString(),
    ...(status !== undefined && { status }),
    problem,
    ...(body !== undefined && { body }),
  };
}
