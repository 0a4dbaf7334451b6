interface OpenSend {
  readonly at: number;
  readonly controller: AbortController;
  /** Ended by us, and not for what its receiver did. */
  isCalledOff: boolean;
}

/** So long without any answer, a stream hangs for those who wait for its slots. */
const HANGS_MILLISECONDS = 2_000;

/** The sends of a stream that are under way, the oldest first. */
export function createOpenSends() {
  const open = new Set<OpenSend>();
  let answeredAt = -Infinity;
  let isHanging = false;

  function callOff(kept: number): void {
    for (const send of [...open].slice(kept)) {
      send.isCalledOff = true;
      send.controller.abort();
    }
  }

  return {
    begin(): OpenSend {
      const send = { at: performance.now(), controller: new AbortController(), isCalledOff: false };
      open.add(send);
      return send;
    },
    end(send: OpenSend): void {
      open.delete(send);
      if (send.isCalledOff) return;
      answeredAt = performance.now();
      isHanging = false;
    },
    /** Sends were called off since nothing was answered, and nothing has been answered since. */
    isHanging: () => isHanging,
    callOff,
    /** Where nothing is answered, sends are called off but so many; tells how many of a stream that hangs are left. */
    giveWay(kept: number): number {
      const [oldest] = open;
      const since = Math.max(answeredAt, oldest?.at ?? Infinity);
      if (!isHanging && performance.now() - since < HANGS_MILLISECONDS) return 0;
      isHanging = true;
      callOff(kept);
      return Math.min(kept, open.size);
    },
  };
}
