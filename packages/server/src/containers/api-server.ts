import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import type { ContainerLimits } from './limits.ts';
import type { RunningJob } from './running-job.ts';

/**
 * Speaks HTTP with the libraries inside the containers, over their tunnelled connections; it listens nowhere. Whose a
 * request is, is known by the connection.
 */
export function createApiServer(limits: ContainerLimits) {
  const owners = new WeakMap<object, RunningJob>();
  const server = createServer({ maxHeaderSize: 16_384, keepAlive: false }, (request, response) => {
    // A library would use the connection again, for another execution.
    response.shouldKeepAlive = false;
    const running = owners.get(request.socket);
    if (!running) return void response.destroy();
    answer(running, request, response).catch(() => refuse(response, 502, 'The API did not answer.'));
  });
  server.on('clientError', (_error, socket) => socket.destroy());

  async function answer(running: RunningJob, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { tunnel } = running.job;
    if (!tunnel) return refuse(response, 403, 'There is no way to the API from here.');
    if (++running.calls > limits.callsPerJob)
      return refuse(response, 429, `One execution may call the API ${limits.callsPerJob} times.`);
    if (request.url?.startsWith('/api/v2/')) running.takeApiCall();
    const body = await readBody(request);
    if (!body) return refuse(response, 413, `A call may carry ${limits.callBytes} bytes.`);
    const { method = 'GET', url = '/', headers } = request;
    const answered = await tunnel.answer({ method, url, headers, body }, running.depth + 1);
    if (answered.body.length > limits.callBytes) return refuse(response, 502, 'The answer is too large.');
    response.writeHead(answered.status, { ...answered.headers, 'content-length': answered.body.length });
    response.end(request.method === 'HEAD' ? undefined : answered.body);
  }

  async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of request) {
      bytes += piece.length;
      if (bytes > limits.callBytes) return undefined;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  return {
    connect(running: RunningJob): Duplex {
      const [inside, outside] = duplexPair();
      owners.set(inside, running);
      server.emit('connection', inside);
      return outside;
    },
    stop: () => server.closeAllConnections(),
  };
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ statusCode: status, error: 'Refused', message, errorCode: 'tunnel_refused' });
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
