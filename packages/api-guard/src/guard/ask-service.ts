import type { Verdict } from '../entries/entry.ts';
import { plainCopy } from '../entries/plain-copy.ts';
import { ServiceAwayError, type VerifyToken } from '../verifiers/verify-token.ts';
import { isVerdict } from './stored-verdict.ts';
import { createTurns } from './turns.ts';

const WAITING_PER_TURN = 20;

/** Questions to the service: bounded in number, each with a deadline that counts its waiting too. */
export function createServiceQuestions({
  verify,
  deadlineMs,
  mostAtOnce,
}: {
  readonly verify: VerifyToken;
  readonly deadlineMs: number;
  readonly mostAtOnce: number;
}) {
  const inTurn = createTurns({ atOnce: mostAtOnce, waiting: mostAtOnce * WAITING_PER_TURN });
  const asking = new Set<AbortController>();

  return {
    /** Rejects with a ServiceAwayError, whatever the verifier rejects with: an error of its own is no refusal either. */
    async ask(accessToken: string): Promise<Verdict> {
      const controller = new AbortController();
      asking.add(controller);
      const deadline = setTimeout(
        () => controller.abort(new ServiceAwayError(`No answer within ${deadlineMs} ms.`)),
        deadlineMs,
      );
      try {
        const ended = rejection(controller.signal);
        return await Promise.race([
          inTurn(async () => {
            controller.signal.throwIfAborted();
            // A verifier may be deaf to its signal: that must not keep its turn for ever.
            const verdict = await Promise.race([verify(accessToken, controller.signal), ended]);
            if (!isVerdict(verdict))
              throw new ServiceAwayError('The verifier answered with something else than a verdict.');
            return plainCopy(verdict);
          }),
          ended,
        ]);
      } catch (cause) {
        if (cause instanceof ServiceAwayError) throw cause;
        throw new ServiceAwayError(cause instanceof Error ? cause.message : String(cause), { cause });
      } finally {
        clearTimeout(deadline);
        asking.delete(controller);
      }
    },
    close(): void {
      for (const controller of asking) controller.abort(new ServiceAwayError('The guard was closed.'));
    },
  };
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}
