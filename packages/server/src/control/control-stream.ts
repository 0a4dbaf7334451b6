import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeFrame } from '../kit/frames.ts';

/** What a command sends in pieces: bytes, and word of how far it is. */
export type ControlPiece = { readonly data: Buffer } | { readonly progress: Readonly<Record<string, unknown>> };
export type ControlStream = AsyncIterable<ControlPiece>;

/** `D`ata, `P`rogress (JSON), `E`rror (a sentence); `Z` says that nothing is missing. */
export const STREAM_FRAMES = ['D', 'P', 'E', 'Z'] as const;

export function isControlStream(result: unknown): result is ControlStream {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

/** Ends the source when the caller goes away. */
export async function sendStream(
  response: ServerResponse,
  source: ControlStream,
  explain: (error: unknown) => { readonly message: string },
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  const isWanted = () => !response.destroyed;
  await pipeline(Readable.from(encoded(source, explain, isWanted), { objectMode: false }), response).catch(() => {});
}

async function* encoded(
  source: ControlStream,
  explain: (error: unknown) => { readonly message: string },
  isWanted: () => boolean,
) {
  try {
    for await (const piece of source) {
      if ('data' in piece) yield encodeFrame('D', piece.data);
      else yield encodeFrame('P', Buffer.from(JSON.stringify(piece.progress)));
    }
    yield encodeFrame('Z');
  } catch (error) {
    // The caller's end is thrown in here, too: nothing failed.
    if (!isWanted()) return;
    yield encodeFrame('E', Buffer.from(explain(error).message));
  }
}
