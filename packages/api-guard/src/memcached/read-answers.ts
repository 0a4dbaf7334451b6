/** One answer of memcached's meta protocol. */
export interface Answer {
  /** HD stored or deleted, VA a value, EN nothing there, NS not added, EX changed, NF not there, MN noop; or SERVER_ERROR. */
  readonly code: string;
  /** What the request had as its opaque token. */
  readonly opaque?: string | undefined;
  readonly cas?: string | undefined;
  readonly value?: string;
  /** Of a SERVER_ERROR. */
  readonly message?: string;
}

/**
 * As much as memcached takes unless it was started otherwise, which is more than we store: whoever can write to it must not end our
 * connection, for all tokens, by a value that is too large for one.
 */
const MAX_VALUE_BYTES = 1_048_576;
const MAX_LINE_BYTES = 2_048;
const CODES = new Set(['HD', 'EN', 'NS', 'EX', 'NF', 'MN']);
const CR = 13;
const LF = 10;

/** Takes bytes as they come, however they are cut, and tells each answer once it is whole. Throws on what memcached never sends. */
export function createAnswerReader(onAnswer: (answer: Answer) => void): (chunk: Buffer) => void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  // A value of many packets is put together once, when its last byte is there.
  let neededBytes = 0;

  return (chunk) => {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < neededBytes) return;
    const bytes = held.length === 1 ? chunk : Buffer.concat(held, heldBytes);
    const read = readAnswers(bytes, onAnswer);
    neededBytes = read.neededBytes;
    held = read.position < bytes.length ? [bytes.subarray(read.position)] : [];
    heldBytes = bytes.length - read.position;
  };
}

/** How far it came, and how many bytes from there it needs to go on. */
function readAnswers(bytes: Buffer, onAnswer: (answer: Answer) => void): { position: number; neededBytes: number } {
  let position = 0;
  while (position < bytes.length) {
    const lineEnd = bytes.indexOf('\r\n', position, 'latin1');
    const lineBytes = (lineEnd === -1 ? bytes.length : lineEnd) - position;
    if (lineBytes > MAX_LINE_BYTES) throw new Error('it sent a line without an end');
    if (lineEnd === -1) return { position, neededBytes: lineBytes + 1 };

    const { answer, valueBytes } = readLine(bytes.toString('latin1', position, lineEnd));
    if (valueBytes === undefined) {
      onAnswer(answer);
      position = lineEnd + 2;
      continue;
    }
    const valueStart = lineEnd + 2;
    const valueEnd = valueStart + valueBytes;
    if (bytes.length < valueEnd + 2) return { position, neededBytes: valueEnd + 2 - position };
    if (bytes[valueEnd] !== CR || bytes[valueEnd + 1] !== LF) throw new Error('it sent a value of another length');
    onAnswer({ ...answer, value: bytes.toString('utf8', valueStart, valueEnd) });
    position = valueEnd + 2;
  }
  return { position, neededBytes: 0 };
}

function readLine(line: string): { answer: Answer; valueBytes?: number } {
  // Before 1.6.18 memcached put two spaces between some words.
  const [code = '', ...words] = line.split(' ').filter((word) => word !== '');
  if (code === 'VA') {
    const valueBytes = /^\d{1,8}$/.test(words[0] ?? '') ? Number(words[0]) : Number.POSITIVE_INFINITY;
    if (valueBytes > MAX_VALUE_BYTES) throw new Error('it sent a value that is too large');
    return { answer: { code, ...readFlags(words.slice(1)) }, valueBytes };
  }
  if (code === 'SERVER_ERROR') return { answer: { code, message: words.join(' ') } };
  // An older one answers ERROR, CLIENT_ERROR or OK.
  if (!CODES.has(code)) throw new Error(`it does not speak the meta protocol of memcached 1.6.10: ${printable(line)}`);
  return { answer: { code, ...readFlags(words) } };
}

function readFlags(words: readonly string[]): Pick<Answer, 'opaque' | 'cas'> {
  const flag = (letter: string) => words.find((word) => word.startsWith(letter))?.slice(1);
  return { opaque: flag('O'), cas: flag('c') };
}

function printable(line: string): string {
  return JSON.stringify(line.slice(0, 60).replace(/[^\x20-\x7e]/g, '?'));
}
