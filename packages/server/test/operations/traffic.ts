import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { FirstRun } from '../../src/tenants/first-run.ts';
import { call, logIn, managementAt, tokenFor } from './calls.ts';

/** What the server acknowledged, by the mark that each request carried. */
export interface Acknowledged {
  readonly tokens: string[];
  readonly logins: string[];
  readonly roles: string[];
  refreshToken: string;
}

export interface Traffic {
  readonly acknowledged: Acknowledged;
  /** Lets requests under way end. */
  stop(): Promise<void>;
}

/** Each search of the log pages through a thousand events at most. */
const MOST_OF_A_KIND = 400;

/** Tokens, logins, refreshes and Management writes, one after the other of each kind, whatever happens to the server. */
export async function startTraffic(origin: string, firstRun: FirstRun, run: string): Promise<Traffic> {
  const first = await logIn(origin, firstRun);
  const management = managementAt(origin, await tokenFor(origin, firstRun));
  const acknowledged: Acknowledged = {
    tokens: [],
    logins: [],
    roles: [],
    refreshToken: String(first.body.refresh_token),
  };
  let isStopped = false;

  async function repeat(kind: string, send: (mark: string) => Promise<boolean>, done: (mark: string) => void) {
    for (let index = 0; index < MOST_OF_A_KIND && !isStopped; index++) {
      const mark = `${run}-${kind}-${index}`;
      if (await send(mark).catch(() => false)) done(mark);
      else await sleep(20);
    }
  }

  const { password_client, user, connection, api } = firstRun;
  const marked = (mark: string) => ({
    'auth0-client': Buffer.from(JSON.stringify({ name: mark })).toString('base64'),
  });
  const exchange = async (mark: string, form: Record<string, string>) =>
    call(origin, '/oauth/token', { form: { ...password_client, ...form }, headers: marked(mark) });

  const work = Promise.all([
    repeat(
      'token',
      async (mark) =>
        (await exchange(mark, { grant_type: 'client_credentials', audience: api.identifier })).status === 200,
      (mark) => acknowledged.tokens.push(mark),
    ),
    repeat(
      'login',
      async (mark) => {
        const form = { grant_type: 'password', username: user.email, password: user.password, realm: connection };
        return (await exchange(mark, form)).status === 200;
      },
      (mark) => acknowledged.logins.push(mark),
    ),
    repeat(
      'refresh',
      async (mark) => {
        const { refreshToken } = acknowledged;
        const { status, body } = await exchange(mark, { grant_type: 'refresh_token', refresh_token: refreshToken });
        // What was never acknowledged is asked for again, with the token that the client still has.
        if (status === 200) acknowledged.refreshToken = String(body.refresh_token);
        else if (status !== 503) throw new Error(`A refresh got ${status}: ${JSON.stringify(body)}`);
        return status === 200;
      },
      () => {},
    ),
    repeat(
      'role',
      async (mark) => (await management('POST', '/roles', { name: mark })).status === 200,
      (mark) => acknowledged.roles.push(mark),
    ),
  ]);

  return {
    acknowledged,
    async stop() {
      isStopped = true;
      await work;
    },
  };
}

/** Every acknowledged token and login has exactly one event, every role is there with its event, and the refresh goes on. */
export async function expectNothingLost(origin: string, firstRun: FirstRun, acknowledged: Acknowledged): Promise<void> {
  const { tokens, logins, roles, refreshToken } = acknowledged;
  const management = managementAt(origin, await tokenFor(origin, firstRun));
  const all = async (path: string): Promise<Record<string, unknown>[]> => {
    const items: Record<string, unknown>[] = [];
    for (let page = 0; page < 10; page++) {
      const { status, body } = await management('GET', `${path}&per_page=100&page=${page}`);
      expect({ path, status }).toEqual({ path, status: 200 });
      if (!Array.isArray(body)) throw new Error('No list.');
      items.push(...body);
      if (body.length < 100) break;
    }
    return items;
  };
  const marks = async (type: string) =>
    (await all(`/logs?q=type:${type}`)).map(({ auth0_client: sent }) => Object(sent).name).filter(Boolean);
  expect(unmatched(tokens, await marks('seccft'))).toEqual([]);
  expect(unmatched(logins, await marks('sepft'))).toEqual([]);
  expect(
    unmatched(
      roles,
      (await all('/roles?')).map(({ name }) => String(name)),
    ),
  ).toEqual([]);
  const { status, body } = await call(origin, '/oauth/token', {
    form: { ...firstRun.password_client, grant_type: 'refresh_token', refresh_token: refreshToken },
  });
  expect({ status, body }).toMatchObject({ status: 200 });
}

/** Marks that are not there exactly once. */
function unmatched(acknowledged: readonly string[], found: readonly string[]): string[] {
  return acknowledged.filter((mark) => found.filter((one) => one === mark).length !== 1);
}
