import { generateKeyPairSync, sign } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Program, startProgram } from './program.ts';
import type { BurnResult, BurnTask } from './programs/burn.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const input = Buffer.alloc(600, 'a');
const SIGNATURES = 300;

/** CPU seconds of one RSA-2048 signature, now: the unit in which every request is counted. */
export function signatureCpuSeconds(): number {
  const before = process.cpuUsage();
  for (let count = 0; count < SIGNATURES; count++) sign('sha256', input, privateKey);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / SIGNATURES;
}

export interface Cores {
  /** How much of it all cores do in a second, when nothing of ours does anything else. */
  perSecond(work: BurnTask['work'], milliseconds: number): Promise<number>;
  stop(): Promise<void>;
}

/** One process a core. */
export function startCores(): Cores {
  const burners: Program<BurnTask, BurnResult>[] = Array.from({ length: availableParallelism() }, () =>
    startProgram('burn'),
  );
  return {
    async perSecond(work, milliseconds) {
      const results = await Promise.all(burners.map((burner) => burner.run({ work, milliseconds })));
      return results.reduce((sum, { done, seconds }) => sum + done / seconds, 0);
    },
    stop: async () => void (await Promise.all(burners.map((burner) => burner.stop()))),
  };
}
