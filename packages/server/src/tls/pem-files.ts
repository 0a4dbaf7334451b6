import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { KeyPair } from './serving.ts';

export interface PairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export async function readPair({ certFile, keyFile }: PairFiles): Promise<KeyPair> {
  const read = (file: string, variable: string) =>
    readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new Error(`${variable} can't be read: ${file} (${cause.code ?? cause.message}).`, { cause });
    });
  const [cert, key] = await Promise.all([read(certFile, 'TLS_CERT_FILE'), read(keyFile, 'TLS_KEY_FILE')]);
  return { cert, key };
}

/** Half a file, a key of another certificate: told before anything is replaced. */
export function checkPair({ cert, key }: KeyPair, { certFile, keyFile }: PairFiles): void {
  const certificate = parse(() => new X509Certificate(cert), `TLS_CERT_FILE holds no certificate in PEM: ${certFile}.`);
  const privateKey = parse(
    () => createPrivateKey(key),
    `TLS_KEY_FILE holds no unencrypted private key in PEM: ${keyFile}.`,
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(
      `TLS_KEY_FILE (${keyFile}) is not the key of the first certificate in TLS_CERT_FILE (${certFile}).`,
    );
  }
}

function parse<Result>(read: () => Result, message: string): Result {
  try {
    return read();
  } catch (cause) {
    throw new Error(message, { cause });
  }
}

/** The folder is watched, not its files: a watch on a file ends when it is replaced (rename, symbolic link swapped). */
export function watchFolder(folder: string, onEvent: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close()); // the poll goes on
    return [watcher];
  } catch {
    return [];
  }
}
