import { callServer } from '../../src/control/control-client.ts';
import { median } from '../program.ts';
import type { LoadRequest } from '../programs/load.ts';
import { loginForm, tokenRequest } from '../requests.ts';
import type { Figure } from '../row.ts';
import { milliseconds, type Subject, targetOf, type Workbench } from '../workbench.ts';
import { TRIVIAL } from './containers.ts';
import type { SetRules } from './rules.ts';

const WARM_UP = 20;
const EACH_ROUND = 40;

/**
 * What three rules add to a password-grant login: logins one after the other, at a tenant with rules and at one without in
 * turn, since the machine changes from second to second by more than what is measured.
 */
export async function measureLogins(
  workbench: Workbench,
  subject: Subject,
  dataDir: string,
  setRules: SetRules,
): Promise<Figure> {
  const send = await workbench.load();
  const plain = await loginOfNewTenant(dataDir, 'plain');
  const ruled = tokenRequest(loginForm(subject));
  await setRules(TRIVIAL);
  const took = async (request: LoadRequest) => (await send(targetOf(subject), { requests: [request], each: 1 })).p50;
  const without: number[] = [];
  const added: number[] = [];
  for (let count = 0; count < WARM_UP + workbench.settings.rounds * EACH_ROUND; count++) {
    const one = await took(plain);
    const other = await took(ruled);
    if (count < WARM_UP) continue;
    without.push(one);
    added.push(other - one);
  }
  return {
    work: 'three rules in a password-grant login: added',
    ours: `median of ${added.length} pairs`,
    yardstick: `without rules ${milliseconds(median(without) / 1000)}`,
    measured: median(added),
    unit: 'ms',
    goal: { is: 'at most', limit: 3 },
  };
}

/** A login of the user of a tenant that is made for it. */
export async function loginOfNewTenant(dataDir: string, name: string): Promise<LoadRequest> {
  const made = await callServer(dataDir, 'tenant-create', { name, environment: 'development' });
  const { client_id, client_secret } = Object(made.password_client);
  const { email: username, password } = Object(made.user);
  const request = tokenRequest({ grant_type: 'password', client_id, client_secret, username, password });
  return { ...request, headers: { ...request.headers, host: new URL(String(made.http_origin)).host } };
}
