import type { Dispatcher } from 'undici';
import { OutgoingError } from './outgoing-error.ts';

type Body = Dispatcher.ResponseData['body'];

/** The whole body; one that is too long, or compressed, is an error. */
export async function readBounded(
  { body }: { readonly body: Body },
  headers: Readonly<Record<string, string>>,
  mostBytes: number,
): Promise<Buffer> {
  try {
    if (!['identity', '', undefined].includes(headers['content-encoding'])) throw new OutgoingError('encoded');
    if (Number(headers['content-length'] ?? 0) > mostBytes) throw new OutgoingError('too-large');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > mostBytes) throw new OutgoingError('too-large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    // The rest is not read: the connection goes with it.
    body.on('error', () => undefined).destroy();
    throw error;
  }
}

/** What comes of the body within these bounds; for the rest of it nobody waits, and its connection is closed. */
export async function readFirst(body: Body, mostBytes: number, milliseconds: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const patience = setTimeout(() => body.destroy(), milliseconds);
  body.on('error', () => undefined);
  try {
    for await (const chunk of body) {
      size += chunk.length;
      chunks.push(chunk);
      if (size >= mostBytes) break;
    }
  } catch {
    // Torn, or out of time.
  } finally {
    clearTimeout(patience);
    body.destroy();
  }
  return Buffer.concat(chunks).subarray(0, mostBytes);
}
