import { expect, vi } from 'vitest';
import type { LogRecord } from '../protocol.ts';
import { createVisitor } from '../visitor.ts';
import type { ManagementClient, World, WorldRequest } from '../world.ts';

/** How the events of one code come about over the front door, and what their record has. */
export interface Row<Stage> {
  /** Causes it; what leads up to it may stand here too, as long as it causes no other event of the code. */
  readonly cause: (stage: Stage) => Promise<unknown>;
  /** All members of the record but those that each has (record.ts); matchers of vitest stand for what varies. */
  readonly has: (stage: Stage) => Readonly<Record<string, unknown>>;
  /** Who asked is in it, unless nobody did: the server itself caused it. */
  readonly isOfServer?: boolean;
}

/** A test elsewhere that causes the code end to end and looks at the record. */
export interface Elsewhere {
  readonly file: string;
  readonly title: string;
}

export interface Family {
  readonly title: string;
  readonly codes: readonly string[];
  readonly start: () => Promise<RunningFamily>;
}

export interface RunningFamily {
  /** Causes a code; its records, the only ones of the code since. */
  cause(code: string): Promise<readonly LogRecord[]>;
  expected(code: string): { readonly has: Readonly<Record<string, unknown>>; readonly isOfServer: boolean };
  stop(): Promise<void>;
}

/** One world for all of a family's rows; what they share, as a login, is made once. */
export function family<Stage extends { readonly world: World }>(
  title: string,
  start: () => Promise<Stage>,
  rows: Readonly<Record<string, Row<Stage>>>,
): Family {
  const rowOf = (code: string) => {
    const row = rows[code];
    if (!row) throw new Error(`No row of ${code}.`);
    return row;
  };
  return {
    title,
    codes: Object.keys(rows),
    async start() {
      const stage = await start();
      const log = stage.world.api('read:logs');
      const recordsOf = async (code: string): Promise<LogRecord[]> =>
        (await log.get(`/logs?per_page=100&q=${encodeURIComponent(`type:"${code}"`)}`)).json();
      return {
        async cause(code) {
          const before = new Set((await recordsOf(code)).map(({ log_id }) => log_id));
          await rowOf(code).cause(stage);
          // Some code of the tenant runs after the answer.
          return vi.waitFor(
            async () => {
              const records = (await recordsOf(code)).filter(({ log_id }) => !before.has(log_id));
              expect(records).not.toEqual([]);
              return records;
            },
            { timeout: 60_000, interval: 50 },
          );
        },
        expected: (code) => ({ has: rowOf(code).has(stage), isOfServer: rowOf(code).isOfServer ?? false }),
        stop: () => stage.world.stop(),
      };
    },
  };
}

export const PHONE = {
  ip: '203.0.113.9',
  userAgent:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1',
  auth0Client: { name: 'auth0.js', version: '9.28.0' },
};

/** The same world, asked by a phone behind a proxy, whose application uses one of Auth0's SDKs. */
export function fromPhone<W extends World>(world: W): W {
  const headers = {
    'user-agent': PHONE.userAgent,
    'x-forwarded-for': PHONE.ip,
    'auth0-client': Buffer.from(JSON.stringify(PHONE.auth0Client)).toString('base64'),
  };
  const request = (asked: WorldRequest) => world.request({ ...asked, headers: { ...headers, ...asked.headers } });

  /** With one token: each further one would be an event. */
  function api(...scopes: string[]): ManagementClient {
    let bearer: Promise<string> | undefined;
    const call = async (method: NonNullable<WorldRequest['method']>, path: string, json?: unknown) => {
      bearer ??= world.managementToken(scopes);
      const authorization = `Bearer ${await bearer}`;
      return request({
        method,
        path: `/api/v2${path}`,
        headers: { authorization },
        ...(json !== undefined && { json }),
      });
    };
    return {
      get: (path) => call('GET', path),
      post: (path, body) => call('POST', path, body),
      put: (path, body) => call('PUT', path, body),
      patch: (path, body) => call('PATCH', path, body),
      delete: (path, body) => call('DELETE', path, body),
    };
  }

  return {
    ...world,
    request,
    api,
    token: (form, tenant) => request({ path: '/oauth/token', form, ...(tenant && { tenant }) }),
    visitor: (tenant = world.main) => createVisitor(request, tenant),
  };
}
