import type { Readable } from 'node:stream';

const LINE_END = 10;

/** Hands over each line; tells once when a line is longer than it may be, and then reads no further. */
export function readLines(
  source: Readable,
  { longest, onLine, onTooLong }: { longest: number; onLine: (line: string) => void; onTooLong: () => void },
): void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  source.on('data', (piece: Buffer) => {
    let rest = piece;
    for (let end = rest.indexOf(LINE_END); !isOver && end >= 0; end = rest.indexOf(LINE_END)) {
      const line = pieces.length === 0 ? rest.subarray(0, end) : Buffer.concat([...pieces, rest.subarray(0, end)]);
      pieces = [];
      bytes = 0;
      rest = rest.subarray(end + 1);
      if (line.length > longest) tooLong();
      else onLine(line.toString());
    }
    if (isOver || rest.length === 0) return;
    pieces.push(rest);
    bytes += rest.length;
    if (bytes > longest) tooLong();
  });

  function tooLong(): void {
    isOver = true;
    pieces = [];
    source.destroy();
    onTooLong();
  }
}
