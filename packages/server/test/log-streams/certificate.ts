import { generateKeyPairSync } from 'node:crypto';
import { extensions, makeCertificate, toPem } from '../../src/tls/certificate.ts';
import { keyPem } from '../tls-files.ts';

/** A certificate that nobody knows but who is given it, for loopback. */
export async function ownCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = await makeCertificate({
    subject: 'A receiver',
    issuer: 'A receiver',
    publicKey,
    signingKey: privateKey,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    extensions: [extensions.subjectAltName(['localhost'], ['127.0.0.1'])],
  });
  return { cert: toPem('CERTIFICATE', cert), key: keyPem(privateKey) };
}
