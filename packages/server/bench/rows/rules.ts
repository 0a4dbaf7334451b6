import { callServer } from '../../src/control/control-client.ts';
import { makeDataFolder, startGatewright } from '../gatewright-process.ts';
import { median } from '../program.ts';
import { fetchTokens, loginForm, times, tokenRequest } from '../requests.ts';
import type { Figure, Row } from '../row.ts';
import { milliseconds, type Subject, targetOf, type Workbench } from '../workbench.ts';
import { TRIVIAL } from './containers.ts';

const REFRESHING = 50;
const LOGINS = 4;
const LOOPING = 2;

/** What three trivial rules add to refreshes, and what a tenant whose rule never ends costs the logins of another one. */
export const rules: Row = {
  name: 'rules',
  async measure(workbench) {
    const folder = await makeDataFolder();
    const server = await startGatewright({ dataDir: folder.path });
    try {
      const subject = { server, firstRun: await server.firstRun() };
      const setRules = await createRuleSetter(subject);
      return [
        ...(await measureRefresh(workbench, subject, setRules)),
        await measureNeighbour(workbench, subject, folder.path, setRules),
      ];
    } finally {
      await server.stop();
      await folder.remove();
    }
  },
};

type SetRules = (codes: readonly string[]) => Promise<void>;

async function measureRefresh(workbench: Workbench, subject: Subject, setRules: SetRules): Promise<Figure[]> {
  const { settings } = workbench;
  const send = await workbench.load();
  const scope = 'openid profile email offline_access';
  const login = loginForm(subject, { scope, audience: subject.firstRun.api.identifier });
  const form = { grant_type: 'refresh_token', ...subject.firstRun.password_client, refresh_token: '{refresh_token}' };
  const families = await Promise.all(times(REFRESHING, login).map((one) => fetchTokens(subject, one)));
  let tokens: readonly (string | undefined)[] = families.map(({ refresh_token }) => refresh_token);
  const round = async (codes: readonly string[], seconds: number) => {
    await setRules(codes);
    const requests = tokens.map((refreshToken) => ({ ...tokenRequest(form), ...(refreshToken && { refreshToken }) }));
    const result = await send(targetOf(subject), { requests, seconds });
    tokens = result.refreshTokens;
    return result;
  };
  const plain: number[] = [];
  const ratios: number[] = [];
  const added: number[] = [];
  await round([], settings.warmUpSeconds / 2);
  await round(TRIVIAL, settings.warmUpSeconds / 2);
  for (let count = 0; count < settings.rounds; count++) {
    const without = await round([], settings.seconds);
    const ruled = await round(TRIVIAL, settings.seconds);
    plain.push(without.answered / without.seconds);
    ratios.push(ruled.answered / ruled.seconds / (without.answered / without.seconds));
    added.push(ruled.p99 - without.p99);
  }
  const ratio = median(ratios);
  const yardstick = `without rules ${median(plain).toFixed(0)}/s`;
  return [
    {
      work: `${REFRESHING} refreshes at once with three rules`,
      ours: `${(median(plain) * ratio).toFixed(0)}/s`,
      yardstick,
      measured: ratio,
      unit: 'of it',
      goal: { is: 'at least', limit: 0.6 },
    },
    {
      work: 'the same: p99 added',
      ours: milliseconds(median(added) / 1000),
      yardstick,
      measured: median(added),
      unit: 'ms',
      goal: { is: 'at most', limit: 10 },
    },
  ];
}

async function measureNeighbour(
  workbench: Workbench,
  subject: Subject,
  dataDir: string,
  setRules: SetRules,
): Promise<Figure> {
  const { settings } = workbench;
  const target = targetOf(subject);
  const made = await callServer(dataDir, 'tenant-create', { name: 'neighbour', environment: 'development' });
  const { client_id, client_secret } = Object(made.password_client);
  const { email: username, password } = Object(made.user);
  const request = tokenRequest({ grant_type: 'password', client_id, client_secret, username, password });
  const host = new URL(String(made.http_origin)).host;
  const logins = times(LOGINS, { ...request, headers: { ...request.headers, host } });
  const send = await workbench.load();
  const attack = workbench.loader();
  const attacker = times(LOOPING, tokenRequest(loginForm(subject)));
  const p95 = async () => (await send(target, { requests: logins, seconds: settings.seconds })).p95;
  await setRules(['function (user, context, callback) { for (;;); }']);
  await p95();
  const calm: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    calm.push(await p95());
    // Its logins fail after twenty seconds, which is what they are for.
    const attacking = attack(target, { requests: attacker, each: 1 }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    beside.push(await p95());
    await attacking;
  }
  return {
    work: 'p95 of logins beside a tenant whose rule never ends',
    ours: milliseconds(median(beside) / 1000),
    yardstick: `in calm ${milliseconds(median(calm) / 1000)}`,
    measured: median(beside.map((value, round) => value / (calm[round] ?? Number.NaN))),
    unit: 'times',
    goal: { is: 'at most', limit: 1.2 },
  };
}

/** Replaces the rules of the first tenant. */
async function createRuleSetter(subject: Subject): Promise<SetRules> {
  const { http_origin: origin, management } = subject.firstRun;
  const scope = 'create:rules delete:rules';
  const token = await fetchTokens(subject, { grant_type: 'client_credentials', ...management, scope });
  const headers = { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' };
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${origin}/api/v2/rules${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response;
  };
  let known: string[] = [];
  return async (codes) => {
    for (const id of known) await ask('DELETE', `/${id}`);
    known = [];
    for (const [index, script] of codes.entries()) {
      const made = await ask('POST', '', { name: `rule ${index}`, script, enabled: true });
      known.push(Object(await made.json()).id);
    }
  };
}
