import { generateKeyPairSync } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { makeCertificate, toPem } from '../src/tls/certificate.ts';

/** The common name of the certificate that a server shows. */
export function subjectAt(port: number, servername?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      agent: false,
      rejectUnauthorized: false,
      ...(servername && { servername }),
    };
    get(options, (response) => {
      const socket = response.socket as import('node:tls').TLSSocket;
      resolve(String(socket.getPeerCertificate().subject.CN));
      response.resume();
    }).once('error', reject);
  });
}

/** A certificate of its own signature and its key, each replaced at once. It lives for a day. */
export async function writeNamed(files: { certFile: string; keyFile: string }, subject: string): Promise<void> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = await makeCertificate({
    subject,
    issuer: subject,
    publicKey,
    signingKey: privateKey,
    notBefore: new Date(),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  await writeFile(`${files.certFile}.new`, toPem('CERTIFICATE', cert));
  await writeFile(`${files.keyFile}.new`, keyPem(privateKey));
  await rename(`${files.certFile}.new`, files.certFile);
  await rename(`${files.keyFile}.new`, files.keyFile);
}

export const keyPem = (key: import('node:crypto').KeyObject): string =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString();
