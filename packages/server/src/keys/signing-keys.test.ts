import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestKeys, type TestKeys } from '../../test/test-keys.ts';
import { toWire } from './key-routes.ts';

let keys: TestKeys;
let tenant: string;

beforeAll(async () => {
  keys = await createTestKeys();
});
afterAll(() => keys.drop());
beforeEach(async () => {
  tenant = await keys.createTenant();
});

describe('the keys of a tenant', () => {
  it('are a current and a next one from the start', async () => {
    const listed = await keys.store.list(tenant);
    expect(listed.map((key) => key.state)).toEqual(['current', 'next']);
    for (const { kid } of listed) expect(kid).toMatch(/^[\w-]{21}$/);
  });

  it('move on when rotated, and the previous one verifies until it is revoked', async () => {
    const [current, next] = await keys.store.list(tenant);
    const token = await keys.signer.sign(tenant, { sub: 'a', exp: Math.ceil(Date.now() / 1000) + 60 }, { typ: 'JWT' });
    const added = await keys.rotate(tenant);
    const after = await keys.store.list(tenant);
    expect(after.map(({ kid, state }) => [kid, state])).toEqual([
      [next?.kid, 'current'],
      [added.kid, 'next'],
      [current?.kid, 'previous'],
    ]);
    expect(await keys.verify(tenant, token)).toMatchObject({ valid: true });
    await keys.revoke(tenant, current?.kid ?? '');
    expect(await keys.verify(tenant, token)).toEqual({ valid: false, reason: 'unknown_key' });
    expect((await keys.rings.jwks(tenant)).keys.map(({ kid }) => kid)).toEqual([next?.kid, added.kid]);
    expect((await keys.store.list(tenant)).at(-1)?.revokedAt).toBeInstanceOf(Date);
  });

  it('are one current and one next after many rotations at once', async () => {
    await Promise.all(Array.from({ length: 6 }, () => keys.rotate(tenant)));
    const states = (await keys.store.list(tenant)).map((key) => key.state);
    expect(states.filter((state) => state === 'current')).toHaveLength(1);
    expect(states.filter((state) => state === 'next')).toHaveLength(1);
    expect(states.filter((state) => state === 'previous')).toHaveLength(6);
  });

  it('stay as they were when a rotation fails halfway', async () => {
    const before = await keys.store.list(tenant);
    const key = await keys.service.makeKey('x.localhost');
    const failing = keys.transact(async (stores) => {
      await keys.service.rotate(stores, tenant, key);
      throw new Error('the connection broke');
    });
    await expect(failing).rejects.toThrow('the connection broke');
    expect(await keys.store.list(tenant)).toEqual(before);
  });

  it('can be revoked only when they are previous ones of this tenant', async () => {
    const [current, next] = await keys.store.list(tenant);
    await expect(keys.revoke(tenant, current?.kid ?? '')).rejects.toMatchObject({
      status: 404,
      message: /current signing key/,
    });
    await expect(keys.revoke(tenant, next?.kid ?? '')).rejects.toMatchObject({
      status: 404,
      message: /next signing key/,
    });
    await expect(keys.revoke(tenant, 'unknown')).rejects.toMatchObject({ status: 404 });
    await keys.rotate(tenant);
    const other = await keys.createTenant();
    const elsewhere = keys.revoke(other, current?.kid ?? '');
    await expect(elsewhere).rejects.toMatchObject({ status: 404 });
  });

  it('are revoked once: the second time changes nothing', async () => {
    const [current] = await keys.store.list(tenant);
    await keys.rotate(tenant);
    const first = await keys.revoke(tenant, current?.kid ?? '');
    expect(await keys.revoke(tenant, current?.kid ?? '')).toEqual(first);
  });

  it('never show a private half: not on the wire, not in a listing, not readable in the table', async () => {
    await keys.rotate(tenant);
    const rows = await keys.db.selectFrom('signing_keys').selectAll().where('tenant_id', '=', tenant).execute();
    const { privateKey } = await keys.store.load(tenant);
    const secretExponent = privateKey?.export({ format: 'jwk' }).d ?? '';
    const der = privateKey?.export({ type: 'pkcs8', format: 'der' }) ?? Buffer.from('');
    const told = JSON.stringify([
      (await keys.store.list(tenant)).map(toWire),
      await keys.store.list(tenant),
      await keys.rings.jwks(tenant),
      await keys.rings.certificate(tenant),
    ]);
    expect(told).not.toMatch(/PRIVATE|"d":|"p":|"q":|private/i);
    expect(told).not.toContain(secretExponent);
    for (const row of rows) expect(row.private_key.includes(der.subarray(40, 80))).toBe(false);
    expect(rows.find((row) => row.state === 'previous')?.private_key).toHaveLength(0);
  });

  it('are sealed for their tenant and kid: a row copied elsewhere does not open', async () => {
    const other = await keys.createTenant();
    const [row] = await keys.db
      .selectFrom('signing_keys')
      .selectAll()
      .where('tenant_id', '=', tenant)
      .where('state', '=', 'current')
      .execute();
    await keys.db
      .updateTable('signing_keys')
      .set({ private_key: row?.private_key ?? Buffer.of() })
      .where('tenant_id', '=', other)
      .where('state', '=', 'current')
      .execute();
    await expect(keys.store.load(other)).rejects.toThrow();
  });
});

describe('the published keys', () => {
  it('carry the certificate, its thumbprint and the public key', async () => {
    const [wire] = (await keys.store.list(tenant)).map(toWire);
    const [published] = (await keys.rings.jwks(tenant)).keys;
    const certificate = new X509Certificate(Buffer.from(published?.x5c[0] ?? '', 'base64'));
    expect(certificate.subject).toBe(`CN=${tenant}.localhost`);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(Object.keys(published ?? {})).toEqual(['kty', 'use', 'n', 'e', 'kid', 'x5t', 'x5c', 'alg']);
    expect(certificate.publicKey.export({ format: 'jwk' })).toMatchObject({ n: published?.n, e: published?.e });
    expect(
      Buffer.from(published?.x5t ?? '', 'base64url')
        .toString('hex')
        .toUpperCase(),
    ).toBe(wire?.thumbprint);
    expect(wire?.fingerprint.replaceAll(':', '')).toBe(wire?.thumbprint);
    expect(wire).toMatchObject({ kid: published?.kid, current: true, next: false, previous: false, revoked: false });
    expect(new X509Certificate(wire?.cert ?? '').raw.equals(certificate.raw)).toBe(true);
  });

  it('come as a PKCS#7 structure that openssl reads', async () => {
    const { pkcs7, subject } = await keys.rings.certificate(tenant);
    const running = promisify(execFile)('openssl', ['pkcs7', '-print_certs']);
    running.child.stdin?.end(pkcs7);
    expect((await running).stdout).toContain(`CN = ${tenant}.localhost`);
    expect(subject).toBe(`/CN=${tenant}.localhost`);
  });
});
