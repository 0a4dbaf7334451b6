import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';
import { OutgoingError } from './outgoing-error.ts';

export type ResolveHost = (hostname: string) => Promise<readonly LookupAddress[]>;

interface Parts {
  readonly policy: AddressPolicy;
  readonly resolve: ResolveHost;
  readonly timeout: number;
  /** Whoever is there: a tenant's own decision about its own data. Which addresses it may be does not change. */
  readonly acceptsAnyCertificate?: boolean;
}

/**
 * Connects to public addresses only. A name is resolved once, by us, and the socket goes to the addresses that were
 * checked: a name that leads elsewhere the next time (DNS rebinding) gains nothing. All of a name's addresses must do.
 */
export function createGuardedConnect({
  policy,
  resolve,
  timeout,
  acceptsAnyCertificate = false,
}: Parts): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => policy.allows(address)))
          callback(new OutgoingError('address'), []);
        else if (options.all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      () => callback(new OutgoingError('network'), []),
    );
  };
  const connect = buildConnector({
    lookup,
    timeout,
    allowH2: false,
    maxCachedSessions: 0,
    rejectUnauthorized: !acceptsAnyCertificate,
  });
  return (options, callback) => {
    // An address in the URL is not looked up. URL has made one of 0x7f.1, 2130706433 and 017700000001.
    const host = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !policy.allows(host)) return callback(new OutgoingError('address'), null);
    connect(options, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error) return callback(error, null);
      if (!isChecked(socket)) {
        socket.destroy();
        return callback(new OutgoingError('address'), null);
      }
      return callback(null, socket);
    });
  };

  /** Whatever lies between the check and the socket. */
  function isChecked({ remoteAddress }: Socket): boolean {
    return remoteAddress !== undefined && policy.allows(remoteAddress);
  }
}
