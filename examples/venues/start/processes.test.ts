import { expect, it } from 'vitest';
import { createProcesses } from './processes.ts';

const ENDLESS = ['-e', 'console.log("up"); setInterval(() => {}, 1000)'];

it('stop ends what is ready, and what is not, and nothing starts afterwards', async () => {
  const processes = createProcesses();
  const ready = await processes.start({ name: 'one', args: ENDLESS, ready: 'up' });
  const never = processes.start({ name: 'another', args: ENDLESS, ready: 'never' });
  const refused = expect(never).rejects.toThrow('another did not start.');
  await processes.stop();
  await refused;
  expect(() => process.kill(ready.pid, 0)).toThrow('ESRCH');
  await expect(processes.run({ name: 'late', args: ['-v'] })).rejects.toThrow('stopped');
});

it('a program that ends before it is ready is told with what it said', async () => {
  const processes = createProcesses();
  const started = processes.start({ name: 'venue-api', args: ['-e', 'throw new Error("no port")'], ready: 'listens' });
  await expect(started).rejects.toThrow(/^venue-api did not start\. It said:[\s\S]*no port/);
  await expect(processes.run({ name: 'tsc', args: ['-e', 'process.exit(2)'] })).rejects.toThrow('tsc failed');
  await expect(processes.run({ name: 'node', args: ['-e', 'console.log(7)'] })).resolves.toBe('7\n');
});

it('a program that is not there is told', async () => {
  const started = createProcesses().start({ name: 'ghost', file: '/nowhere/ghost', args: [], ready: '!' });
  await expect(started).rejects.toThrow(/^ghost did not start\. It said:\n.*ENOENT/);
});
