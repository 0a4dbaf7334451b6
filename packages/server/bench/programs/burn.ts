// Yardsticks that keep one core busy: RSA-2048 signatures, or argon2id hashes with the product's parameters and priority.
import { generateKeyPairSync, sign } from 'node:crypto';
import { setPriority } from 'node:os';
import { hashSync } from '@node-rs/argon2';

export interface BurnTask {
  readonly work: 'signature' | 'argon2id';
  readonly milliseconds: number;
}

export interface BurnResult {
  readonly done: number;
  readonly seconds: number;
}

/** `Algorithm.Argon2id` of the library: a const enum, which type stripping can't read. */
const ARGON2ID = 2;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const input = Buffer.alloc(600, 'a');

const works = {
  signature: () => void sign('sha256', input, privateKey),
  argon2id: () => void hashSync('a password', { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 }),
};

process.on('message', ({ work, milliseconds }: BurnTask) => {
  // As the server's hash processes do.
  if (work === 'argon2id') setPriority(10);
  const began = performance.now();
  let done = 0;
  while (performance.now() - began < milliseconds) {
    works[work]();
    done++;
  }
  process.send?.({ done, seconds: (performance.now() - began) / 1000 });
});
