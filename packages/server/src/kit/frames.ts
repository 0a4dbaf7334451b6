/** A stream of typed pieces: a letter, a length of four bytes, the content. In backups and on the commands' socket. */
export interface Frame<Type extends string> {
  readonly type: Type;
  readonly content: Buffer;
}

/** Thrown for everything that encodeFrame can't have made. */
export class BrokenFrames extends Error {}

const HEAD_BYTES = 5;
/** Far above what is written: a length is believed only up to here. */
const MOST_BYTES = 1024 * 1024;

export function encodeFrame(type: string, content: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

/** Reads frames of these types from pieces of any size; holds no more than one frame. */
export async function* decodeFrames<Type extends string>(
  source: AsyncIterable<Buffer>,
  types: readonly Type[],
): AsyncGenerator<Frame<Type>, void, void> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < neededBytes(pieces)) continue;
    let rest = Buffer.concat(pieces);
    while (rest.length >= neededBytes([rest])) {
      const letter = rest.toString('latin1', 0, 1);
      const type = types.find((one) => one === letter);
      if (type === undefined) throw new BrokenFrames();
      const end = neededBytes([rest]);
      yield { type, content: rest.subarray(HEAD_BYTES, end) };
      rest = rest.subarray(end);
    }
    pieces = [rest];
    bytes = rest.length;
  }
  if (bytes > 0) throw new BrokenFrames();
}

/** How many bytes make the first frame whole, as far as its head tells. */
function neededBytes(pieces: Buffer[]): number {
  const [first = Buffer.alloc(0)] = pieces;
  const head = first.length >= HEAD_BYTES ? first : Buffer.concat(pieces);
  if (head.length < HEAD_BYTES) return HEAD_BYTES;
  const length = head.readUInt32BE(1);
  if (length > MOST_BYTES) throw new BrokenFrames();
  return HEAD_BYTES + length;
}
