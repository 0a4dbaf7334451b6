import { createHmac, createPublicKey } from 'node:crypto';

/** What a thief without any key can make of a token. */
export function forge(token: string, publicJwk: Readonly<Record<string, unknown>>) {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const { kid } = read(head);
  const claims = { ...read(payload), sub: 'auth0|somebody-else' };
  const hmac = (secret: string | Buffer) => {
    const signed = `${write({ alg: 'HS256', typ: 'JWT', kid })}.${write(claims)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const key = createPublicKey({ key: publicJwk, format: 'jwk' });
  return {
    'alg none': `${write({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'alg none with the old signature': `${write({ alg: 'none', typ: 'JWT', kid })}.${payload}.${signature}`,
    'HS256 with the public key (PEM) as its secret': hmac(key.export({ type: 'spki', format: 'pem' })),
    'HS256 with the public key (DER) as its secret': hmac(key.export({ type: 'spki', format: 'der' })),
    'another subject under the old signature': `${head}.${write(claims)}.${signature}`,
    'a key of its own in the header': `${write({ ...read(head), jwk: publicJwk })}.${write(claims)}.${signature}`,
    'an unknown kid': `${write({ ...read(head), kid: 'nobody-knows' })}.${payload}.${signature}`,
    'no signature': `${head}.${payload}.`,
    'half of it': token.slice(0, token.length / 2),
    'something else': 'not-a-token',
  };
}

function read(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function write(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
