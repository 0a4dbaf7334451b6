import type { Management } from '../../management/call.ts';
import { parsePosition } from '../reading/log-reader.ts';
import { parseSearch } from '../search/search-query.ts';
import type { LiveTails } from './live-tails.ts';

/** The log as it grows, as server-sent events: beyond Auth0's API. */
export function liveRoutes(management: Management<unknown>, tails: LiveTails): void {
  management.route('GET /gatewright/logs/stream', async (call) => {
    const { q, from, follow } = call.query;
    // A browser's EventSource sends where it was; the parameter is for who begins there.
    const position = call.lastEventId ?? (typeof from === 'string' && from !== '' ? from : undefined);
    const stream = await tails.open({
      tenantId: call.tenant.tenantId,
      query: parseSearch(typeof q === 'string' ? q : undefined, undefined),
      from: position === undefined ? undefined : parsePosition(position),
      follows: follow !== false,
    });
    call.setHeader?.('content-type', 'text/event-stream; charset=utf-8');
    // nginx would hold pieces back.
    call.setHeader?.('x-accel-buffering', 'no');
    return stream;
  });
}
