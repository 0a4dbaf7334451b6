import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type WireRecord = Readonly<Record<string, unknown>>;
export type TenantStandIn = Awaited<ReturnType<typeof startTenantStandIn>>;

/**
 * The two endpoints of somebody else's tenant that an export asks, as Auth0's answer: a search where no checkpoint is
 * given, whatever `take` says; at most a hundred records; a Link to the next page also from an empty one; its rate limit
 * in each answer; a token for its own audience alone.
 */
export async function startTenantStandIn() {
  let log: readonly WireRecord[] = [];
  let tokens = 0;
  let before: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString();
    asked.push(`${request.method} ${request.url}`);
    if (before?.(request, response)) return;
    const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...rateLimit(9), ...headers })
        .end(JSON.stringify(body));
    const url = new URL(request.url ?? '', 'http://tenant.test');
    if (url.pathname === '/oauth/token') {
      const { client_secret, grant_type, audience } = JSON.parse(text);
      if (grant_type !== 'client_credentials') json(403, { error: 'unsupported_grant_type', error_description: '' });
      else if (audience !== `http://${request.headers.host}/api/v2/`)
        json(403, { error: 'access_denied', error_description: `Service not enabled within domain: ${audience}` });
      else if (client_secret !== 'right') json(401, { error: 'access_denied', error_description: 'Unauthorized' });
      else json(200, { access_token: `token-${++tokens}`, expires_in: 86_400, token_type: 'Bearer' });
    } else if (request.headers.authorization !== `Bearer token-${tokens}`)
      json(401, { statusCode: 401, message: 'Invalid token' });
    else answerPage(url, json);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  function answerPage(url: URL, json: (status: number, body: unknown, headers?: Record<string, string>) => void): void {
    const take = Number(url.searchParams.get('take') ?? url.searchParams.get('per_page') ?? 50);
    if (take > 100) {
      json(400, {
        statusCode: 400,
        error: 'Bad Request',
        message: `Query validation error: 'Value ${take} is greater than maximum 100' on property take.`,
        errorCode: 'invalid_query_string',
      });
      return;
    }
    const page = pageOf(url.searchParams);
    const from = url.searchParams.get('from');
    const next = `${url.origin}/api/v2/logs?from=${page.length > 0 ? idOf(page.at(-1) ?? {}) : from}&take=${take}`;
    json(200, page, from === null ? {} : { link: `<${next}>; rel="next"` });
  }

  function pageOf(query: URLSearchParams): readonly WireRecord[] {
    const from = query.get('from');
    if (from !== null)
      return log
        .toSorted(byId)
        .filter((record) => idOf(record) > from)
        .slice(0, Number(query.get('take')));
    return log.toSorted((a, b) => (String(a.date) < String(b.date) ? -1 : 1)).slice(0, Number(query.get('per_page')));
  }

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What was asked, without bodies. */
    asked,
    has(records: readonly WireRecord[]): void {
      log = records;
    },
    adds(record: WireRecord): void {
      log = [...log, record];
    },
    /** True: the test has answered. */
    intercept(handler: typeof before): void {
      before = handler;
    },
    revokeTokens(): void {
      tokens++;
    },
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As Auth0 tells it in each answer: `reset` is a time, in whole seconds. */
export function rateLimit(remaining: number, resetAt = Date.now() + 1_000): Record<string, string> {
  return {
    'x-ratelimit-limit': '10',
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(Math.ceil(resetAt / 1_000)),
  };
}

/** `count` events of one type, a second apart, with ids as Auth0 makes them today. */
export function events(count: number, type = 'f', first = 1): WireRecord[] {
  return Array.from({ length: count }, (_, index) => event(first + index, type));
}

export function event(number: number, type = 'f', more: WireRecord = {}): WireRecord {
  const id = logId(number);
  return {
    date: new Date(Date.UTC(2026, 10, 1) + number * 1000).toISOString(),
    type,
    description: 'Wrong email or password.',
    log_id: id,
    _id: id,
    isMobile: false,
    ...more,
  };
}

export function logId(number: number): string {
  return `90020261101${String(number).padStart(45, '0')}`;
}

const idOf = (record: WireRecord) => String(record.log_id ?? record._id);
const byId = (a: WireRecord, b: WireRecord) => (idOf(a) < idOf(b) ? -1 : 1);
