import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Response } from 'light-my-request';
import type { World, WorldRequest, WorldTenant } from './world.ts';

/** A client's key, with which it signs DPoP proofs. */
export interface DpopKey {
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 7638. */
  readonly jkt: string;
}

export function createDpopKey(): DpopKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const jkt = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  return { privateKey, jwk: { crv, kty, x, y }, jkt };
}

export interface ProofChanges {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly nonce?: string;
  readonly accessToken?: string;
}

/** A DPoP proof for one request to a tenant (RFC 9449 section 4.2). */
export function proofFor(
  world: World,
  key: DpopKey,
  { method, path, tenant = world.main }: Pick<WorldRequest, 'method' | 'path' | 'tenant'>,
  { claims, header, nonce, accessToken }: ProofChanges = {},
): Promise<string> {
  return new SignJWT({
    jti: randomUUID(),
    htm: method ?? 'GET',
    htu: tenant.origin + (path.split('?', 1)[0] ?? ''),
    iat: Math.floor(world.now().getTime() / 1000),
    ...(nonce !== undefined && { nonce }),
    ...(accessToken !== undefined && { ath: createHash('sha256').update(accessToken).digest('base64url') }),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, ...header })
    .sign(key.privateKey);
}

/** POST /oauth/token with a proof; comes again with the nonce where the server asks for one, as clients do. */
export async function tokenWithProof(
  world: World,
  key: DpopKey,
  form: Readonly<Record<string, string>>,
  tenant: WorldTenant = world.main,
): Promise<Response> {
  const asked = { method: 'POST', path: '/oauth/token', tenant } as const;
  const send = async (nonce?: string) =>
    world.request({
      ...asked,
      form,
      headers: { dpop: await proofFor(world, key, asked, nonce === undefined ? {} : { nonce }) },
    });
  const first = await send();
  return first.json().error === 'use_dpop_nonce' ? send(String(first.headers['dpop-nonce'])) : first;
}
