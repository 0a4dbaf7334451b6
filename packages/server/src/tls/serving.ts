import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';

/** Where the https listener has its certificate from, and hears when it changed. */
export interface TlsSource {
  /** The certificate that clients must trust; null where the operator brought a certificate. */
  readonly caFile: string | null;
  /** For `https.createServer`; and, after a change, for `server.setSecureContext`. */
  serverOptions(): TlsServerOptions;
  secureContextFor(servername: string): Promise<SecureContext>;
  /** Called after each renewal: `source.onChange(() => server.setSecureContext(source.serverOptions()))`. */
  onChange(listener: () => void): void;
  /** What is served now; none where the installation renews its certificates itself. */
  certificates(): readonly CertificateLife[];
  close(): void;
}

/** For warnings and metrics. */
export interface CertificateLife {
  /** The host name that its file is named after, or `default`. */
  readonly name: string;
  readonly notAfter: Date;
}

export interface TlsServerOptions {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
  readonly SNICallback: (servername: string, done: (error: Error | null, context?: SecureContext) => void) => void;
}

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface TlsLog {
  info(message: string): void;
  warn(message: string): void;
}

/** What every source has in common: the options' shape, and those who wait for a change. */
export function createServing(pair: () => KeyPair, secureContextFor: TlsSource['secureContextFor']) {
  const listeners: (() => void)[] = [];
  return {
    serverOptions: (): TlsServerOptions => ({
      cert: pair().cert,
      key: pair().key,
      minVersion: 'TLSv1.2',
      SNICallback: (servername, done) => {
        secureContextFor(servername).then(
          (context) => done(null, context),
          (cause) => done(cause instanceof Error ? cause : new Error(String(cause))),
        );
      },
    }),
    onChange: (listener: () => void): void => void listeners.push(listener),
    announce: (): void => {
      for (const listener of listeners) listener();
    },
  };
}

export function secureContextOf(pair: KeyPair): SecureContext {
  return createSecureContext({ cert: pair.cert, key: pair.key, minVersion: 'TLSv1.2' });
}

export function notAfterOf({ cert }: Pick<KeyPair, 'cert'>): Date {
  return new X509Certificate(cert).validToDate;
}
