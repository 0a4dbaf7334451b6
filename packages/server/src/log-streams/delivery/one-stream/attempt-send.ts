import { maskSecretText } from '../../../logs/masking/mask-secret-text.ts';
import { storableText } from '../../../logs/masking/storable-text.ts';
import type { Delivery, Sink, StreamedEvent } from '../../sinks/sink.ts';
import type { AttemptRecord } from '../state/delivery-state.ts';

interface Parts {
  readonly sink: Sink;
  readonly events: readonly StreamedEvent[];
  readonly number: number;
  readonly isReplay: boolean;
  readonly isProbe?: boolean;
  readonly isTest?: boolean;
  /** Ends the attempt: when its process stops, or when its time is over. */
  readonly controller: AbortController;
  readonly now: () => Date;
}

/** Sinks keep to 15 seconds themselves. Whatever they do, a slot is free again after this. */
const MOST_MILLISECONDS = 20_000;
const MOST_PROBLEM = 500;
const MOST_BODY = 1_024;

/** Sends once, and tells what happened in the words of /health. */
export async function attemptSend(parts: Parts): Promise<{ delivery: Delivery; record: AttemptRecord }> {
  const { sink, events, number, isReplay, controller, now } = parts;
  const at = now();
  const started = performance.now();
  const timer = setTimeout(() => controller.abort(), MOST_MILLISECONDS);
  let delivery: Delivery;
  try {
    delivery = await Promise.race([
      sink.send(events, { number, isReplay, signal: controller.signal }),
      gaveUp(controller),
    ]);
  } catch (error) {
    // A fault of ours is no reason to lose an event.
    const problem = error instanceof Error ? error.message : String(error);
    delivery = { ok: false, problem: `The server could not send: ${problem}`, verdict: 'retry' };
  } finally {
    clearTimeout(timer);
  }
  return { delivery, record: describe() };

  function describe(): AttemptRecord {
    return {
      at: at.toISOString(),
      took_ms: Math.round((performance.now() - started) * 10) / 10,
      ok: delivery.ok,
      events: events.length,
      first_log_id: events[0]?.logId ?? '',
      status: delivery.status,
      problem: text(delivery.ok ? delivery.note : delivery.problem, MOST_PROBLEM),
      body: delivery.ok ? undefined : text(delivery.body, MOST_BODY),
      is_probe: parts.isProbe || undefined,
      is_replay: isReplay || undefined,
      is_test: parts.isTest || undefined,
    };
  }
}

function gaveUp({ signal }: AbortController): Promise<Delivery> {
  return new Promise((resolve) => {
    const late = () => resolve({ ok: false, problem: 'No answer in time.', verdict: 'retry' });
    signal.addEventListener('abort', late, { once: true });
  });
}

/** What a receiver says may quote what it was sent. */
function text(said: string | undefined, most: number): string | undefined {
  return said === undefined ? undefined : storableText(maskSecretText(said.slice(0, most * 2)), most);
}
