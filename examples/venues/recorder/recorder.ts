import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';

/** A request and its answer, as they were on the wire. */
export interface Exchange {
  /** The process that was asked: `Gatewright`, `user-api (dev)` … */
  readonly to: string;
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: string;
  readonly requestBody: string;
  readonly status: number;
  readonly responseHeaders: string;
  readonly responseBody: string;
}

export interface Recorder {
  /** From now on connections break, as if the process had gone. */
  cut(): void;
  mend(): void;
  /** Requests wait here until what it gives back is called. */
  hold(): () => void;
  waiting(): number;
  /** Requests that were passed on and have no answer yet. */
  underWay(): number;
  close(): Promise<void>;
}

interface Options {
  readonly to: string;
  /** Where it listens, and where the process does: the same port of another loopback address. */
  readonly host: string;
  readonly target: string;
  readonly port: number;
  readonly record: (exchange: Exchange) => void;
}

/** Stands in front of a process and keeps everything that goes in and out. For checks: a recording is full of secrets. */
export async function startRecorder({ to, host, target, port, record }: Options): Promise<Recorder> {
  let isCut = false;
  let held: PromiseWithResolvers<void> | undefined;
  let waiting = 0;
  let underWay = 0;
  const agent = new Agent({ keepAlive: false });
  const server = createServer((request, response) => {
    if (isCut) return void request.socket.destroy();
    // Whoever hangs up, hangs up at the other end, too.
    pass(request, response).catch(() => response.destroy());
  });
  // Longer than a check: who asks through here keeps its connection as it would without us.
  server.keepAliveTimeout = 120_000;
  // All who come at once get in.
  server.listen({ port, host, backlog: 4_096 });
  await once(server, 'listening');

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const body = Buffer.concat(await request.toArray());
    waiting++;
    await held?.promise;
    waiting--;
    const { connection: _ofThisHop, ...headers } = request.headers;
    const passed = sendRequest({ agent, host: target, port, method, path: url, headers }).end(body);
    underWay++;
    const [answer] = (await once(passed, 'response').finally(() => underWay--)) as [IncomingMessage];
    const answerBody = Buffer.concat(await answer.toArray());
    const status = answer.statusCode ?? 0;
    record({
      to,
      method,
      url,
      requestHeaders: textOf(request.rawHeaders),
      requestBody: body.toString('utf8'),
      status,
      responseHeaders: textOf(answer.rawHeaders),
      responseBody: answerBody.toString('utf8'),
    });
    const { connection: _hop, 'keep-alive': _until, 'transfer-encoding': _decoded, ...answered } = answer.headers;
    response.writeHead(status, answered).end(answerBody);
  }

  return {
    cut() {
      isCut = true;
      server.closeAllConnections();
    },
    mend() {
      isCut = false;
    },
    hold() {
      held = Promise.withResolvers<void>();
      return held.resolve;
    },
    waiting: () => waiting,
    underWay: () => underWay,
    async close() {
      held?.resolve();
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function textOf(rawHeaders: readonly string[]): string {
  const lines: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  return lines.join('\n');
}
