import { prefixedId } from '../kit/ids.ts';
import { objectOf, oneOf } from '../kit/json-values.ts';
import type { LogReader } from '../logs/reading/log-reader.ts';
import { bodyFault } from '../management/body-limits.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import type { DeliveryStore } from './delivery/state/delivery-store.ts';
import { DAMAGES, type LogStream, logStreamErrors, SINK_SECRETS } from './log-stream.ts';
import type { LogStreamStore, StreamChange } from './log-stream-store.ts';
import { readChange, readInstant, readSink, toWire } from './log-stream-wire.ts';
import { SINKS, STREAM_TYPES } from './sinks/sink.ts';

export interface LogStreamStores {
  readonly logStreams: LogStreamStore;
  readonly streamDeliveries: DeliveryStore;
  readonly logs: LogReader;
}

/** /log-streams of the Management API, as Auth0 has it. What is ours: log-stream-operation-routes.ts. */
export function logStreamRoutes<Inside extends LogStreamStores>(management: Management<Inside>): void {
  management.route('GET /log-streams', async (call) => {
    const streams = await call.stores.logStreams.list(call.tenant.tenantId);
    tellSecrets(call, streams);
    return streams.map(toWire);
  });

  management.route('POST /log-streams', async (call) => {
    const { tenantId } = call.tenant;
    const type = oneOf(STREAM_TYPES, call.body.type) ?? 'http';
    const startFrom = readInstant('startFrom', call.body.startFrom);
    const { logs } = call.stores;
    const cursor = (startFrom && (await logs.before(tenantId, startFrom))) ?? (await logs.end());
    const stream = {
      id: prefixedId('lst'),
      name: type,
      isPriority: false,
      filters: [],
      piiConfig: undefined,
      ...readChange(call.body),
      type,
      // What nobody delivers here is stored for Auth0's tools.
      status: SINKS[type] ? 'active' : 'paused',
      startFrom,
      sink: readSink(type, objectOf(call.body.sink), call.tenant),
      signingSecrets: [],
      damage: undefined,
    } as const;
    return call.commit(async ({ logStreams, streamDeliveries }) => {
      await logStreams.insert(tenantId, stream);
      await streamDeliveries.insert(tenantId, stream.id, cursor);
      return toWire({ ...stream, version: '1' });
    });
  });

  management.route('GET /log-streams/{id}', async (call) => {
    const stream = await call.stores.logStreams.find(call.tenant.tenantId, call.params.id ?? '');
    if (!stream) throw logStreamErrors.notFound();
    tellSecrets(call, [stream]);
    return toWire(stream);
  });

  management.route('PATCH /log-streams/{id}', async (call) => {
    const { tenantId } = call.tenant;
    const given = readChange(call.body);
    return call.commit(async ({ logStreams, streamDeliveries }) => {
      const stream = await logStreams.lock(tenantId, call.params.id ?? '');
      if (!stream) throw logStreamErrors.notFound();
      const change: StreamChange = {
        ...given,
        ...(call.body.sink !== undefined && {
          sink: readSink(stream.type, objectOf(call.body.sink), call.tenant, stream.sink),
        }),
      };
      checkStatus(stream, change);
      if (change.status === 'active') await streamDeliveries.restart(tenantId, stream.id);
      const changed = await logStreams.update(tenantId, stream.id, change);
      return changed && toWire(visible(call, changed));
    });
  });

  management.route('DELETE /log-streams/{id}', async (call) =>
    call.commit(async ({ logStreams }) => {
      if (!(await logStreams.remove(call.tenant.tenantId, call.params.id ?? ''))) throw logStreamErrors.notFound();
    }),
  );
}

function checkStatus(stream: LogStream, change: StreamChange): void {
  if (change.status === 'suspended' && stream.status !== 'suspended')
    throw bodyFault('A stream is suspended by the server only: use paused', 'status');
  if (change.status !== 'active') return;
  if (SINKS[stream.type] === undefined) throw logStreamErrors.cannotDeliver({ type: stream.type });
  const isMended = stream.damage === 'sink' && change.sink !== undefined;
  if (stream.damage && !isMended) throw logStreamErrors.damaged({ problem: DAMAGES[stream.damage] });
}

/** Who may change streams, and not read them, is answered with the secrets that they gave, and no others (decision 48). */
function visible({ actor, body }: Pick<ManagementCall<unknown>, 'actor' | 'body'>, stream: LogStream): LogStream {
  if (actor.scopes.has('read:log_streams')) return stream;
  const given = objectOf(body.sink);
  const isShown = (name: string) => Object.hasOwn(given, name) || !SINK_SECRETS.some((kept) => kept === name);
  return { ...stream, sink: Object.fromEntries(Object.entries(stream.sink ?? {}).filter(([name]) => isShown(name))) };
}

function tellSecrets(call: Pick<ManagementCall<unknown>, 'accessedSecrets'>, streams: readonly LogStream[]): void {
  const names = new Set(streams.flatMap(({ sink = {} }) => Object.keys(sink)));
  call.accessedSecrets(SINK_SECRETS.filter((name) => names.has(name)));
}
