import type { ServerResponse } from 'node:http';
import type { RequestSummary } from './kept-requests.ts';

const MOST_READERS = 20;
/** A page that is not read any more. */
const MOST_WAITING_BYTES = 1_048_576;

export type LiveList = ReturnType<typeof createLiveList>;

/** Pages that are told of each request as it comes (server-sent events). */
export function createLiveList() {
  const readers = new Set<ServerResponse>();

  function send(event: string, value: unknown): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(value)}\n\n`;
    for (const reader of readers) {
      if (reader.writableLength > MOST_WAITING_BYTES) reader.destroy();
      else reader.write(text);
    }
  }

  return {
    add(response: ServerResponse, past: readonly RequestSummary[]): void {
      if (readers.size >= MOST_READERS) {
        response.writeHead(503).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(`event: all\ndata: ${JSON.stringify(past)}\n\n`);
      readers.add(response);
      response.on('close', () => readers.delete(response));
    },
    tell: (request: RequestSummary): void => send('request', request),
    cleared: (): void => send('all', []),
    stop(): void {
      for (const reader of readers) reader.end();
    },
  };
}
