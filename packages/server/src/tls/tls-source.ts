import { stat } from 'node:fs/promises';
import { createFileTls } from './file-tls.ts';
import { createFolderTls } from './folder-tls.ts';
import { openLocalAuthority } from './local-authority.ts';
import { createLocalTls } from './local-tls.ts';
import type { TlsLog, TlsSource } from './serving.ts';

export interface TlsSourceOptions {
  /** TLS_CERT_FILE and TLS_KEY_FILE: both or neither; or the former alone, a folder. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Where the local authority lies, `<data>/tls`; in no backup. */
  readonly folder: string;
  /** What the local authority vouches for: `localhost`, `*.localhost`, the base domain, `*.` and the base domain. */
  readonly hosts: readonly string[];
  readonly log: TlsLog;
  readonly now?: () => Date;
}

/** The operator's certificate, or one of a local authority that this installation makes itself. */
export async function createTlsSource(options: TlsSourceOptions): Promise<TlsSource> {
  const { certFile, keyFile, folder, hosts, log, now = () => new Date() } = options;
  if (certFile && (await isFolder(certFile))) {
    if (keyFile)
      throw new Error('TLS_KEY_FILE goes with a single certificate: leave it out where TLS_CERT_FILE is a folder.');
    return createFolderTls({ folder: certFile, log });
  }
  if (certFile && keyFile) return createFileTls({ certFile, keyFile, log });
  if (certFile || keyFile) throw new Error('TLS_CERT_FILE and TLS_KEY_FILE belong together: set both or neither.');
  return createLocalTls({ authority: await openLocalAuthority({ folder, hosts, now }), hosts, log });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** A certificate for these hosts and for loopback addresses, without a source that renews it. */
export async function ensureLocalCertificate(options: { folder: string; hosts: readonly string[]; now: () => Date }) {
  const authority = await openLocalAuthority(options);
  const { cert, key } = await authority.issue(options.hosts, ['127.0.0.1', '::1']);
  return { caFile: authority.caFile, cert, key };
}
