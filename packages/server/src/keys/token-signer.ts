import { constants, createHmac, type KeyObject, sign as signBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyRing } from './key-ring.ts';

export type SigningAlgorithm = 'RS256' | 'RS512' | 'PS256';

/** `HS256` takes the client's or the API's own secret; all others the tenant's current key. */
export type SignOptions =
  | { readonly typ: string; readonly algorithm?: SigningAlgorithm }
  | { readonly typ: string; readonly algorithm: 'HS256'; readonly secret: string | Uint8Array };

export type TokenSigner = ReturnType<typeof createTokenSigner>;

const signAsync = promisify(signBytes);

/** node:crypto's own parameters for each algorithm (RFC 7518 sections 3.3 and 3.5: the salt is as long as the hash). */
export const RSA_PARAMETERS = {
  RS256: { hash: 'sha256', padding: constants.RSA_PKCS1_PADDING },
  RS512: { hash: 'sha512', padding: constants.RSA_PKCS1_PADDING },
  PS256: { hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
} as const;

/** Makes JWTs in compact form. RSA runs on the libuv pool, so that one thread serves while others sign. */
export function createTokenSigner({ ringOf }: { ringOf: (tenantId: string) => Promise<KeyRing> }) {
  async function sign(tenantId: string, payload: object, options: SignOptions): Promise<string> {
    if (options.algorithm === 'HS256') return signWithSecret(payload, options.typ, options.secret);
    const { algorithm = 'RS256', typ } = options;
    const { current } = await ringOf(tenantId);
    const input = `${encode({ alg: algorithm, typ, kid: current.kid })}.${encode(payload)}`;
    return `${input}.${(await signInput(input, algorithm, current.privateKey)).toString('base64url')}`;
  }

  return { sign };
}

function signInput(input: string, algorithm: SigningAlgorithm, key: KeyObject): Promise<Buffer> {
  const { hash, ...parameters } = RSA_PARAMETERS[algorithm];
  return signAsync(hash, Buffer.from(input), { key, ...parameters });
}

function signWithSecret(payload: object, typ: string, secret: string | Uint8Array): string {
  const input = `${encode({ alg: 'HS256', typ })}.${encode(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
