import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RenderedPage } from '../src/login/pages/page-renderer.ts';
import { staticAssets } from '../src/login/pages/static-assets.ts';

export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: URLSearchParams;
}

export interface PageServer {
  readonly origin: string;
  /** Sets what GET of this path answers: a rendered page with its own headers, or a redirect. */
  serve(path: string, answer: RenderedPage | { readonly location: string }): void;
  /** Requests for anything but assets, in order. */
  readonly arrivals: Arrival[];
  close(): Promise<void>;
}

/** A server on loopback that answers with rendered pages exactly as they are, headers included. */
export async function startPageServer(host = '127.0.0.1'): Promise<PageServer> {
  const answers = new Map<string, RenderedPage | { readonly location: string }>();
  const assets = new Map(staticAssets().map((asset) => [asset.path, asset]));
  const arrivals: Arrival[] = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://this.invalid').pathname;
    const asset = assets.get(path);
    if (asset !== undefined) return response.writeHead(200, asset.headers).end(asset.body);
    const body = new URLSearchParams((await request.setEncoding('utf8').toArray()).join(''));
    arrivals.push({ method: request.method ?? '', path, headers: request.headers, body });
    const answer = answers.get(path);
    if (answer === undefined)
      return response.writeHead(200, { 'content-type': 'text/plain' }).end(`arrived at ${path}`);
    if ('location' in answer) return response.writeHead(302, { location: answer.location }).end();
    return response.writeHead(200, answer.headers).end(answer.html);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${host}:${port}`,
    serve: (path, answer) => void answers.set(path, answer),
    arrivals,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
