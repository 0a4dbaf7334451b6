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
export function readFirst(body: Body, mostBytes: number, milliseconds: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const patience = setTimeout(finish, milliseconds);
    // Events instead of an iterator: this is read for each event that a stream delivers.
    body.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size >= mostBytes) finish();
    });
    body.on('error', finish);
    body.once('end', finish);
    body.once('close', finish);

    function finish(): void {
      clearTimeout(patience);
      body.destroy();
      resolve(Buffer.concat(chunks).subarray(0, mostBytes));
    }
  });
}
