import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerProcess } from '../server-process.ts';
import { connectToEach, workersOf } from './worker-processes.ts';

interface Options {
  readonly server: ServerProcess;
  /** Of the proxy. */
  readonly port: number;
  readonly host: string;
  readonly kills: number;
}

export interface Outcome {
  /** Names of roles whose creation was acknowledged and which are not there, or whose removal was and which are. */
  readonly lost: readonly string[];
  readonly logins: number;
  readonly acknowledged: number;
  /**
   * From a client's first failed answer to the moment it sent the request that succeeded, at most. How long that one took is
   * the hashing's affair, which waits its turn on a busy machine.
   */
  readonly longestFailureMilliseconds: number;
}

const CLIENTS = 3;
const TRY_AGAIN_MILLISECONDS = 50;
/** Those beyond are removed again: a tenant has a thousand at most. */
const KEPT_ROLES = 300;

/** Clients log in and write through the proxy, each one request after the other, while a worker is killed now and then. */
export async function killUnderLoad({ server, port, host, kills }: Options): Promise<Outcome> {
  const { firstRun } = server;
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, servername: host });
  /** Acknowledged, and nobody asked to remove them. */
  const made = new Map<string, string>();
  const removed: string[] = [];
  let acknowledged = 0;
  let logins = 0;
  let longestFailureMilliseconds = 0;
  let isDone = false;

  async function ask(method: string, path: string, headers: Record<string, string>, body?: string) {
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port, path, method, agent, headers: { host, ...headers } },
        (incoming) =>
          incoming
            .toArray()
            .then(
              (chunks) => resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
              reject,
            ),
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  const token = async (form: Record<string, string>) =>
    ask(
      'POST',
      '/oauth/token',
      { 'content-type': 'application/x-www-form-urlencoded' },
      new URLSearchParams(form).toString(),
    );
  const management = JSON.parse((await token({ grant_type: 'client_credentials', ...firstRun.management })).body);
  const bearer = { authorization: `Bearer ${management.access_token}`, 'content-type': 'application/json' };

  /** Repeats until the end, and measures how long it goes on failing. */
  async function repeat(work: (round: number) => Promise<boolean>): Promise<void> {
    let failingSince: number | undefined;
    for (let round = 0; !isDone || failingSince !== undefined; round++) {
      const began = performance.now();
      if (await work(round).catch(() => false)) {
        if (failingSince !== undefined)
          longestFailureMilliseconds = Math.max(longestFailureMilliseconds, began - failingSince);
        failingSince = undefined;
        await sleep(20);
      } else {
        failingSince ??= performance.now();
        await sleep(TRY_AGAIN_MILLISECONDS);
      }
    }
  }

  const { password_client, user, connection } = firstRun;
  const login = {
    grant_type: 'password',
    ...password_client,
    username: user.email,
    password: user.password,
    realm: connection,
  };
  const running = Array.from({ length: CLIENTS }, (_, client) => [
    repeat(async () => {
      const isIn = (await token(login)).status === 200;
      if (isIn) logins++;
      return isIn;
    }),
    repeat(async (round) => {
      const name = `kept-${server.pid}-${performance.now()}-${client}-${round}`;
      const answer = await ask('POST', '/api/v2/roles', bearer, JSON.stringify({ name }));
      if (answer.status !== 200) return false;
      acknowledged++;
      made.set(name, JSON.parse(answer.body).id);
      return true;
    }),
    repeat(async () => {
      const [oldest] = made.size > KEPT_ROLES ? made : [];
      if (oldest === undefined) return true;
      const [name, id] = oldest;
      // An answer that is lost says nothing of it.
      made.delete(name);
      if ((await ask('DELETE', `/api/v2/roles/${id}`, bearer)).status !== 200) return false;
      acknowledged++;
      removed.push(name);
      return true;
    }),
  ]).flat();

  for (let kill = 0; kill < kills; kill++) {
    await sleep(1_500);
    const [victim] = workersOf(server.pid);
    if (victim === undefined) throw new Error('There is no worker to kill.');
    process.kill(victim, 'SIGKILL');
    await untilTwoServe(server);
  }
  isDone = true;
  await Promise.all(running);

  const kept = new Set<string>();
  for (let page = 0; ; page++) {
    const { body } = await ask('GET', `/api/v2/roles?per_page=100&page=${page}`, bearer);
    const roles: { name: string }[] = JSON.parse(body);
    for (const { name } of roles) kept.add(name);
    if (roles.length < 100) break;
  }
  agent.destroy();
  return {
    lost: [...[...made.keys()].filter((name) => !kept.has(name)), ...removed.filter((name) => kept.has(name))],
    acknowledged,
    logins,
    longestFailureMilliseconds,
  };
}

/** A process that is still starting serves nobody: the next kill would leave none. */
async function untilTwoServe(server: ServerProcess): Promise<void> {
  while (workersOf(server.pid).length < 2) await sleep(100);
  for (;;) {
    const connections = await connectToEach(server.httpOrigin, workersOf(server.pid)).catch(() => []);
    for (const connection of connections) connection.close();
    if (connections.length === 2) return;
    await sleep(200);
  }
}
