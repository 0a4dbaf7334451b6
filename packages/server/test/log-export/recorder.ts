import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
}

export type Recorder = Awaited<ReturnType<typeof startRecorder>>;

/** A webhook that notes what comes, and answers as a test says: by the number of the request, from 1. */
export async function startRecorder() {
  const received: Received[] = [];
  let answer: (number: number) => number = () => 200;
  let words = 'the disk is full';
  let delayMilliseconds = 0;
  let gathering: { readonly count: number; readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  let flying = 0;
  let mostFlying = 0;
  const server = createServer(async (request, response) => {
    mostFlying = Math.max(mostFlying, ++flying);
    const text = Buffer.concat(await request.toArray()).toString();
    received.push({ headers: request.headers, body: JSON.parse(text) });
    const status = answer(received.length);
    if (gathering && flying >= gathering.count) gathering.resolve();
    await gathering?.promise;
    if (delayMilliseconds > 0) await sleep(delayMilliseconds);
    flying--;
    response
      .writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {})
      .end(status === 500 ? words : 'ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    ids: (): string[] => received.map(({ body }) => String(body.log_id)),
    mostFlying: () => mostFlying,
    answers(status: (number: number) => number): void {
      answer = status;
    },
    /** With a 500. */
    says(text: string): void {
      words = text;
    },
    takes(milliseconds: number): void {
      delayMilliseconds = milliseconds;
    },
    /** Answers nobody before so many are in flight. */
    gathers(count: number): void {
      gathering = { count, ...Promise.withResolvers<void>() };
    },
    /** Forgets what came, and answers 200. */
    reset(): void {
      received.length = 0;
      mostFlying = 0;
      delayMilliseconds = 0;
      gathering = undefined;
      answer = () => 200;
      words = 'the disk is full';
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
