import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { randomSecret } from '../kit/ids.ts';
import { extensions, makeCertificate, toPem } from '../tls/certificate.ts';
import type { RsaPublicJwk } from './signing-key.ts';

export interface NewSigningKey {
  readonly kid: string;
  readonly publicJwk: RsaPublicJwk;
  readonly certificate: string;
  readonly privateKey: KeyObject;
}

const generateKeys = promisify(generateKeyPair);
/** The certificate only carries the key (x5c); nobody renews it, rotation replaces it. */
const CERTIFICATE_YEARS = 13;

/** Makes a key, RSA 2048, on the libuv pool. It takes 20 to 200 ms and more: never inside a transaction. `host` goes into the certificate. */
export async function makeSigningKey(host: string, now: Date): Promise<NewSigningKey> {
  const { publicKey, privateKey } = await generateKeys('rsa', { modulusLength: 2048 });
  const { n, e } = publicKey.export({ format: 'jwk' });
  if (n === undefined || e === undefined) throw new Error('An RSA key without modulus.');
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(now.getUTCFullYear() + CERTIFICATE_YEARS);
  const certificate = await makeCertificate({
    subject: host,
    issuer: host,
    publicKey,
    signingKey: privateKey,
    notBefore: now,
    notAfter,
    extensions: [
      extensions.basicConstraints({ isAuthority: false }),
      extensions.digitalSignature(),
      extensions.subjectKeyId(publicKey),
    ],
  });
  return {
    kid: randomSecret(16).slice(0, 21),
    publicJwk: { kty: 'RSA', n, e },
    certificate: toPem('CERTIFICATE', certificate),
    privateKey,
  };
}
