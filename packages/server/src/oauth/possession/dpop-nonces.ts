import { keyedDigest } from '../../kit/digest.ts';

interface Parts {
  /** The tenant's secret that nonces are made with. */
  readonly secretFor: (tenantId: string) => Promise<Uint8Array>;
  readonly now: () => Date;
}

export type DpopNonces = ReturnType<typeof createDpopNonces>;

const WINDOW_MILLISECONDS = 60_000;

/**
 * Nonces of DPoP proofs (RFC 9449 section 8), which show that a proof was made just now. They are derived from the time, so that
 * every process knows those of the others: each is good in its own minute and in the next two.
 */
export function createDpopNonces({ secretFor, now }: Parts) {
  const at = (secret: Uint8Array, window: number) => keyedDigest(secret, `dpop ${window}`).slice(0, 32);
  const current = () => Math.floor(now().getTime() / WINDOW_MILLISECONDS);

  return {
    async issue(tenantId: string): Promise<string> {
      return at(await secretFor(tenantId), current());
    },
    /** That of the next minute passes as well: another process's clock may be ahead. */
    async isValid(tenantId: string, nonce: string): Promise<boolean> {
      const secret = await secretFor(tenantId);
      return [0, 1, 2, -1].some((age) => at(secret, current() - age) === nonce);
    },
  };
}
