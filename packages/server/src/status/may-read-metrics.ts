import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { equalSecrets } from '../kit/digest.ts';

/** This machine, and who knows the token. */
export function mayReadMetrics({ raw }: { readonly raw: IncomingMessage }, token: string | undefined): boolean {
  return isOfThisMachine(raw) || hasToken(raw, token);
}

const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;
/** What a proxy adds: with one of these a request came from elsewhere, whatever its peer is. */
const FORWARDING = ['forwarded', 'via', 'x-real-ip'];

/** A proxy on this machine brings strangers over loopback too: they name another host, or the proxy names them. */
function isOfThisMachine({ httpVersion, socket, headers }: IncomingMessage): boolean {
  // `proxy_pass http://localhost:3000` and not a line more: nginx then names our host, adds no header, and speaks HTTP/1.0.
  if (httpVersion === '1.0') return false;
  if (!isLoopback(socket.remoteAddress ?? '') || !LOCAL_HOST.test(headers.host ?? '')) return false;
  return !Object.keys(headers).some((name) => name.startsWith('x-forwarded-') || FORWARDING.includes(name));
}

function isLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

function hasToken({ headers }: IncomingMessage, token: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  return token !== undefined && given !== undefined && equalSecrets(given, token);
}
