import { callServer } from '../../src/control/control-client.ts';
import { makeDataFolder, startGatewright } from '../gatewright-process.ts';
import { memoryOf } from '../processes.ts';
import type { LoadRequest } from '../programs/load.ts';
import { clientCredentialsForm, times, tokenRequest } from '../requests.ts';
import type { Row } from '../row.ts';
import { targetOf } from '../workbench.ts';

const TENANTS = 1_000;
const AT_ONCE = 4;
const CONNECTIONS = 4;
const EACH = 500;

/** A thousand tenants in one process: what a token of any of them takes beside one tenant's, and what each costs in memory. */
export const tenants: Row = {
  name: 'tenants',
  async measure(workbench) {
    const folder = await makeDataFolder();
    const server = await startGatewright({ dataDir: folder.path });
    try {
      const subject = { server, firstRun: await server.firstRun() };
      const send = await workbench.load();
      const target = targetOf(subject);
      const one = tokenRequest(clientCredentialsForm(subject));
      await send(target, { requests: times(CONNECTIONS, one), each: EACH });
      const alone = await send(target, { requests: times(CONNECTIONS, one), each: EACH });
      const before = memoryOf([server.pid]).megabytes;

      const requests: LoadRequest[] = [one];
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, lane) => {
          for (let index = lane; index < TENANTS - 1; index += AT_ONCE)
            requests.push(await makeTenant(folder.path, `t${index}`));
        }),
      );
      // Each once, so that all of them are in memory; then all of them in turn.
      const all = requests.slice(0, TENANTS);
      for (let first = 0; first < all.length; first += 50)
        await send(target, { requests: all.slice(first, first + 50), each: 1 });
      const many: number[] = [];
      for (let first = 0; first < all.length; first += CONNECTIONS)
        many.push((await send(target, { requests: all.slice(first, first + CONNECTIONS), each: 4 })).p50);
      many.sort((a, b) => a - b);
      const middle = many[Math.floor(many.length / 2)] ?? Number.NaN;
      const grown = memoryOf([server.pid]);
      return [
        {
          work: `token latency with ${TENANTS} tenants in one process`,
          ours: `p50 ${middle.toFixed(2)} ms`,
          yardstick: `with one tenant ${alone.p50.toFixed(2)} ms`,
          measured: middle / alone.p50,
          unit: 'times',
          goal: { is: 'at most', limit: 1.2 },
        },
        {
          work: `memory of each of ${TENANTS} tenants`,
          ours: `${grown.counted} ${grown.megabytes.toFixed(0)} MB`,
          yardstick: `with one tenant ${before.toFixed(0)} MB`,
          measured: (grown.megabytes - before) / TENANTS,
          unit: 'MB',
          goal: { is: 'at most', limit: 1 },
        },
      ];
    } finally {
      await server.stop();
      await folder.remove();
    }
  },
};

async function makeTenant(dataDir: string, name: string): Promise<LoadRequest> {
  const made = await callServer(dataDir, 'tenant-create', { name, environment: 'development' });
  const { client_id, client_secret } = Object(made.password_client);
  const { identifier } = Object(made.api);
  const request = tokenRequest({ grant_type: 'client_credentials', client_id, client_secret, audience: identifier });
  return { ...request, headers: { ...request.headers, host: new URL(String(made.http_origin)).host } };
}
