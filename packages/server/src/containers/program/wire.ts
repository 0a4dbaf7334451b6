import type { FromContainer } from '../protocol.ts';

// Taken before tenant code runs: it shares the realm, and libraries of its time replace JSON, Promise and timers.

interface Runtime {
  readonly stdin: { read(buffer: Uint8Array): Promise<number | null> };
  readonly stdout: { writeSync(bytes: Uint8Array): number };
  exit(code: number): never;
}

const runtime = (globalThis as unknown as { Deno: Runtime }).Deno;
const { stdin, stdout } = runtime;
const exit = runtime.exit.bind(runtime);
export const { parse: parseJson, stringify } = JSON;
export const setTimer = setTimeout;
export const clearTimer = clearTimeout;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = encoder.encode.bind(encoder);
const decode = decoder.decode.bind(decoder);

const LINE_END = 10;
const PIECE = 65_536;

/** Written at once: a line that tenant code's endless loop follows still arrives. */
export function send(message: FromContainer): void {
  sendText(stringify(message));
}

export function sendText(line: string): void {
  let bytes = encode(`${line}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(stdout.writeSync(bytes));
}

export function bytesOf(text: string): number {
  return encode(text).length;
}

/** Hands over each line; ends the process with its input, as the server is gone then. */
export async function readLines(onLine: (line: string) => void): Promise<never> {
  const piece = new Uint8Array(PIECE);
  let pending = new Uint8Array(PIECE);
  let used = 0;
  for (;;) {
    const count = await stdin.read(piece);
    if (count === null) return exit(0);
    let start = 0;
    for (let index = piece.indexOf(LINE_END); index >= 0 && index < count; index = piece.indexOf(LINE_END, start)) {
      keep(start, index);
      onLine(decode(pending.subarray(0, used)));
      used = 0;
      start = index + 1;
    }
    keep(start, count);
  }

  function keep(from: number, to: number): void {
    const size = to - from;
    if (used + size > pending.length) {
      const larger = new Uint8Array((used + size) * 2);
      larger.set(pending.subarray(0, used));
      pending = larger;
    }
    pending.set(piece.subarray(from, to), used);
    used += size;
  }
}
