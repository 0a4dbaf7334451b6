import type { CertificateLife, TlsLog } from './serving.ts';

const DAY = 86_400_000;
const WARN_DAYS = 14;

/** Says once a day which certificates end within two weeks, or have ended. Gives back how to stop it. */
export function warnOfExpiry(
  certificates: () => readonly CertificateLife[],
  log: TlsLog,
  now = () => Date.now(),
): () => void {
  function look(): void {
    for (const { name, notAfter } of certificates()) {
      const days = Math.floor((notAfter.getTime() - now()) / DAY);
      if (days < 0) log.warn(`The certificate for ${name} ended on ${notAfter.toISOString()}: clients refuse it.`);
      else if (days < WARN_DAYS)
        log.warn(`The certificate for ${name} ends in ${days} days, on ${notAfter.toISOString()}.`);
    }
  }
  look();
  const timer = setInterval(look, DAY).unref();
  return () => clearInterval(timer);
}
