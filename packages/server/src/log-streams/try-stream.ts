import { randomInt } from 'node:crypto';
import type { Json } from '../kit/json-values.ts';
import type { LogRow } from '../logs/log-row.ts';
import { logTypes } from '../logs/log-types.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { attemptSend } from './delivery/one-stream/attempt-send.ts';
import { createSlots } from './delivery/slots.ts';
import { type LogStream, logStreamErrors } from './log-stream.ts';
import type { OpenOutlet, Outlet } from './open-outlet.ts';

interface Parts {
  readonly openOutlet: OpenOutlet;
  readonly now: () => Date;
}

/** Of one tenant and of all, in this process: a receiver that hangs holds a test for fifteen seconds. */
const OF_A_TENANT = 3;
const OF_ALL = 20;

/** Sends one event that nobody caused, whatever the stream's filters and status are, and tells what came of it. */
export function createStreamTrial({ openOutlet, now }: Parts) {
  // Not those of deliveries: a stream that hangs, and holds all of its own, is what an operator tests.
  const slots = createSlots({ ofAll: OF_ALL, ofATenant: OF_A_TENANT, ofAHost: OF_ALL });

  return async (tenant: Tenant, stream: LogStream): Promise<Json> => {
    const { tenantId } = tenant;
    const asks = { stream: { tenantId, streamId: stream.id }, host: '', isDoubtful: () => false, giveWay: () => 0 };
    const seat = slots.seat(asks);
    if (!seat.take()) {
      seat.withdraw();
      throw logStreamErrors.tooManyTests();
    }
    try {
      const outlet = await openOutlet(tenant, stream);
      if (outlet === undefined) throw logStreamErrors.cannotDeliver({ type: stream.type });
      return await sendOne(outlet, stream);
    } finally {
      seat.release();
    }
  };

  async function sendOne({ sink, toEvent }: Outlet, stream: LogStream): Promise<Json> {
    const events = [toEvent(testRow(stream, now()))];
    const controller = new AbortController();
    try {
      const { record } = await attemptSend({ sink, events, number: 1, isReplay: false, isTest: true, controller, now });
      const { first_log_id, events: _one, is_test: _test, ...outcome } = record;
      return { ...outcome, log_id: first_log_id };
    } finally {
      await sink.close();
    }
  }
}

/** No transaction has the number 0: the id is nobody else's. */
function testRow({ name }: LogStream, at: Date): LogRow {
  return {
    epoch: 0,
    xid: '0',
    seq: String(randomInt(1, 2 ** 47)),
    day: at.toISOString().slice(0, 10).replaceAll('-', ''),
    at,
    type: logTypes.notificationWarned.code,
    userId: null,
    clientId: null,
    connection: null,
    ip: null,
    body: { description: `Test of the log stream ${name}`, details: { is_test: true } },
  };
}
