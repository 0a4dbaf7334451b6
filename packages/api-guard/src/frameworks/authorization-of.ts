import type { IncomingMessage } from 'node:http';

/**
 * The Authorization header of a request. Node keeps the first one of several and drops the others, and a proxy may have looked at
 * another one: several are put together, which is no token.
 */
export function authorizationOf({
  headers,
  rawHeaders = [],
}: Partial<Pick<IncomingMessage, 'headers' | 'rawHeaders'>>): string | undefined {
  const sent = rawHeaders.filter((_value, index) => index % 2 === 1 && isAuthorization(rawHeaders[index - 1]));
  return sent.length > 1 ? sent.join(', ') : headers?.authorization;
}

function isAuthorization(name = ''): boolean {
  return name.length === 13 && name.toLowerCase() === 'authorization';
}
