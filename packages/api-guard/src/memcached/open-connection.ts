import { connect } from 'node:net';
import { type Answer, createAnswerReader } from './read-answers.ts';
import type { ServerAddress } from './server-address.ts';

export interface Connection {
  write(text: string): void;
  /** Grows while the server sends anything. */
  bytesRead(): number;
  close(): void;
}

export interface ConnectionListeners {
  /** It is there and answers. */
  readonly onReady: () => void;
  /** Throws where the answer fits no question: the connection is lost then, since no later answer can be trusted. */
  readonly onAnswer: (answer: Answer) => void;
  /** Once, after which nothing else is told; not after `close`. */
  readonly onLost: (reason: string) => void;
}

/** A server that hangs still accepts connections (its kernel does), so one counts only once a noop was answered. */
const OPENING_MS = 1_000;

export function openConnection(
  { target }: ServerAddress,
  { onReady, onAnswer, onLost }: ConnectionListeners,
): Connection {
  let isReady = false;
  let isOver = false;

  const opening = setTimeout(() => lose('it did not answer'), OPENING_MS);
  const read = createAnswerReader((answer) => {
    if (isReady) return onAnswer(answer);
    if (answer.code !== 'MN') throw new Error('it answered what was not asked');
    isReady = true;
    clearTimeout(opening);
    onReady();
  });
  const socket = connect(target)
    .setNoDelay(true)
    .on('connect', () => socket.write('mn\r\n'))
    .on('data', (chunk) => {
      if (isOver) return;
      try {
        read(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      } catch (cause) {
        lose(cause instanceof Error ? cause.message : String(cause));
      }
    })
    .on('error', (error) => lose(error.message))
    .on('end', () => lose('it closed the connection'))
    .on('close', () => lose('the connection was closed'));
  // A process that has nothing else to do ends, though its cache was not closed; who waits for an answer has a timer.
  socket.unref();
  opening.unref();

  return {
    write: (text) => void socket.write(text),
    bytesRead: () => socket.bytesRead,
    close,
  };

  function lose(reason: string): void {
    if (isOver) return;
    close();
    onLost(reason);
  }

  function close(): void {
    isOver = true;
    clearTimeout(opening);
    socket.destroy();
  }
}
