// Runs one rule in a container as whoever starts this program, and prints what came of it and who the container was.
import { readFileSync } from 'node:fs';
import { createContainers } from '../../src/containers/containers.ts';
import { createLog } from '../../src/kit/log.ts';

const containers = createContainers({ log: createLog('json', () => undefined) });
const code = `function (user, context, callback) {
  try { require('fs').readFileSync('/etc/passwd'); user.read = true; } catch (error) { user.read = false; }
  callback(null, user, context);
}`;
const outcome = await containers.execute({
  tenantId: 'dev',
  pool: 'scripts',
  kind: 'rules',
  program: { hash: 'one', parts: [{ id: 'rul_1', name: 'rule', code }] },
  input: { user: {}, context: {} },
});
const [pid] = containers.stats().pids;
const status = pid === undefined ? '' : readFileSync(`/proc/${pid}/status`, 'utf8');
process.stdout.write(JSON.stringify({ outcome, status }));
await containers.stop();
