import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes as they are and reads what comes until the server closes, or the time is over. */
export async function sendRaw(port: number, bytes: string | Buffer, waitMilliseconds = 3_000): Promise<RawAnswer[]> {
  const socket = connect(port, '127.0.0.1');
  const text = await exchange(socket, bytes, waitMilliseconds);
  return parseAnswers(text);
}

async function exchange(socket: Socket, bytes: string | Buffer, waitMilliseconds: number): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  // Not end(): for Node a client that closes its half has gone away.
  socket.write(bytes);
  const timer = setTimeout(() => socket.destroy(), waitMilliseconds);
  await once(socket, 'close');
  clearTimeout(timer);
  return text;
}

/** Answers with a content-length, one after the other. */
function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`No HTTP: ${rest.slice(0, 200)}`);
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const length = Number(headers['content-length'] ?? 0);
    answers.push({ status: Number(first.split(' ')[1]), headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}
