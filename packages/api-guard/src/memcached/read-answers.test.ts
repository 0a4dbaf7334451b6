import { describe, expect, it } from 'vitest';
import { type Answer, createAnswerReader } from './read-answers.ts';

const STREAM = Buffer.from(
  'MN\r\nEN O1\r\nVA 7 c12 O2\r\na\r\né\r\r\r\nVA 0 c13 O3\r\n\r\nSERVER_ERROR out of memory\r\nHD O4\r\n',
);
const ANSWERS = [
  { code: 'MN' },
  { code: 'EN', opaque: '1' },
  { code: 'VA', opaque: '2', cas: '12', value: 'a\r\né\r\r' },
  { code: 'VA', opaque: '3', cas: '13', value: '' },
  { code: 'SERVER_ERROR', message: 'out of memory' },
  { code: 'HD', opaque: '4' },
];

describe('answers of memcached', () => {
  it.each([1, 2, 3, 5, 7, 11, 13, 64, 1_000])('are read alike in packets of %s bytes', (size) => {
    expect(readAll(STREAM, size)).toEqual(ANSWERS);
  });

  it('are read with more spaces than needed', () => {
    expect(readAll(Buffer.from('HD  O1 \r\nVA  1 c1  O2\r\nx\r\n'), 99)).toEqual([
      { code: 'HD', opaque: '1' },
      { code: 'VA', opaque: '2', cas: '1', value: 'x' },
    ]);
  });

  it('are read where a large value comes in many packets', () => {
    const value = 'x'.repeat(1_000_000);
    const [first, second] = readAll(Buffer.from(`VA 1000000 c1 O1\r\n${value}\r\nHD O2\r\n`), 1_400);
    expect(first?.value === value).toBe(true);
    expect(second).toEqual({ code: 'HD', opaque: '2' });
  });

  it.each([
    ['of another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'meta protocol'],
    ['of a memcached before 1.6', 'ERROR\r\n', 'meta protocol'],
    ['of a memcached before 1.6.10', 'OK O1\r\n', 'meta protocol'],
    ['that blame the client', 'CLIENT_ERROR bad data chunk\r\n', 'meta protocol'],
    ['without a line break', 'x'.repeat(3_000), 'line without an end'],
    ['with a line break that comes too late', `${'x'.repeat(3_000)}\r\n`, 'line without an end'],
    ['with a huge value', 'VA 99999999 c1 O1\r\n', 'too large'],
    ['with a value beyond all numbers', `VA ${'9'.repeat(400)} c1 O1\r\n`, 'too large'],
    ['with a negative length', 'VA -1 c1 O1\r\n', 'too large'],
    ['with a length in another notation', 'VA 1e3 c1 O1\r\n', 'too large'],
    ['with a value that is longer than said', 'VA 1 c1 O1\r\nxyz\r\n', 'another length'],
  ])('%s are refused', (_what, text, message) => {
    expect(() => readAll(Buffer.from(text), 700)).toThrow(message);
  });

  it('of random bytes are refused, or are answers that memcached has', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48_271) % 0x7fffffff;
      return seed % below;
    };
    const parts = ['VA ', 'HD', 'EN', ' O1', ' c9', '\r\n', '\n', '5', '1000000', 'SERVER_ERROR', '\0', 'é', ' '];
    for (let round = 0; round < 2_000; round++) {
      const text = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join('');
      let codes: string[] = [];
      try {
        codes = readAll(Buffer.from(text), 1 + random(9)).map(({ code }) => code);
      } catch (error) {
        expect((error as Error).message).toMatch(/^it (sent|does not speak)/);
      }
      expect(codes.every((code) => ['VA', 'HD', 'EN', 'SERVER_ERROR'].includes(code))).toBe(true);
    }
  });
});

function readAll(bytes: Buffer, packet: number): Answer[] {
  const answers: Answer[] = [];
  const read = createAnswerReader((answer) => answers.push(answer));
  for (let at = 0; at < bytes.length; at += packet) read(bytes.subarray(at, at + packet));
  return answers;
}
