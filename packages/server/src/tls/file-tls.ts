import { dirname } from 'node:path';
import { checkPair, readPair, watchFolder } from './pem-files.ts';
import { createServing, notAfterOf, secureContextOf, type TlsLog, type TlsSource } from './serving.ts';

interface Options {
  readonly certFile: string;
  readonly keyFile: string;
  readonly log: TlsLog;
  /** How often the files are compared where watching says nothing (network disks, some container mounts). */
  readonly pollEvery?: number;
}

/** Writers replace one file after the other; a look between the two would see a pair that does not match. */
const SETTLE = 200;

/** Serves TLS_CERT_FILE and TLS_KEY_FILE, and takes a new pair over without a restart. A broken new pair changes nothing. */
export async function createFileTls({ certFile, keyFile, log, pollEvery = 30_000 }: Options): Promise<TlsSource> {
  const files = { certFile, keyFile };
  let pair = await readPair(files);
  checkPair(pair, files);
  let context = secureContextOf(pair);
  let refused = '';
  let settling: NodeJS.Timeout | undefined;
  let closed = false;
  const secureContextFor = async () => context;
  const serving = createServing(() => pair, secureContextFor);

  async function look(): Promise<void> {
    try {
      const found = await readPair(files);
      if (closed || (found.cert === pair.cert && found.key === pair.key)) return;
      checkPair(found, files);
      context = secureContextOf(found);
      pair = found;
      refused = '';
      log.info(`The certificate in ${certFile} changed and is in use.`);
      serving.announce();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (reason !== refused && !closed) log.warn(`${reason} The previous certificate stays in use.`);
      refused = reason;
    }
  }

  function lookSoon(): void {
    clearTimeout(settling);
    settling = setTimeout(() => void look(), SETTLE).unref();
  }

  // The folders are watched, not the files: a watch on a file ends when it is replaced (rename, symbolic link swapped).
  const watchers = [...new Set([dirname(certFile), dirname(keyFile)])].flatMap((folder) =>
    watchFolder(folder, lookSoon),
  );
  const poll = setInterval(() => void look(), pollEvery).unref();

  return {
    caFile: null,
    serverOptions: serving.serverOptions,
    secureContextFor,
    onChange: serving.onChange,
    certificates: () => [{ name: 'default', notAfter: notAfterOf(pair) }],
    close: () => {
      closed = true;
      clearTimeout(settling);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}
