import { makeDataFolder, startGatewright } from '../gatewright-process.ts';
import { fetchTokens } from '../requests.ts';
import type { Row } from '../row.ts';
import type { Subject } from '../workbench.ts';
import { measureLogins } from './rules-in-logins.ts';
import { measureRefreshes } from './rules-in-refreshes.ts';
import { measureNeighbour } from './rules-of-a-neighbour.ts';

/** What three trivial rules add to refreshes and logins, and what a tenant whose rule never ends costs the logins of another one. */
export const rules: Row = {
  name: 'rules',
  async measure(workbench) {
    const folder = await makeDataFolder();
    const server = await startGatewright({ dataDir: folder.path, profileTo: workbench.settings.profileTo });
    try {
      const subject = { server, firstRun: await server.firstRun() };
      const setRules = await createRuleSetter(subject);
      return [
        ...(await measureRefreshes(workbench, subject, setRules)),
        await measureLogins(workbench, subject, folder.path, setRules),
        await measureNeighbour(workbench, subject, folder.path, setRules),
      ];
    } finally {
      await server.stop();
      await folder.remove();
    }
  },
};

export type SetRules = (codes: readonly string[]) => Promise<void>;

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
