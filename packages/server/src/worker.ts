import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { readConfig } from './config.ts';

// The entry of a worker process (workers/worker-pool.ts); it has the environment of the first process.
const config = readConfig(process.env);
process.umask(0o077);
enableCompileCache(join(config.dataDir, 'cache'));
const { startWorker } = await import('./start/start-worker.ts');
startWorker(config);
