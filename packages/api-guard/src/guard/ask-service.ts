import type { Verdict } from '../entries/entry.ts';
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
        return await Promise.race([
          inTurn(async () => {
            controller.signal.throwIfAborted();
            const verdict = await verify(accessToken, controller.signal);
            if (!isVerdict(verdict))
              throw new ServiceAwayError('The verifier answered with something else than a verdict.');
            return verdict;
          }),
          // A verifier may be deaf to its signal.
          rejection(controller.signal),
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
