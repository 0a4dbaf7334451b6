import type { Container } from './container.ts';

interface Needs {
  /** Whether one more may be started that nobody asked for. */
  readonly hasRoom: () => boolean;
  readonly start: () => Promise<Container>;
}

/** One container that is ready before anybody needs it: the start of one lies in the way of a login. */
export function createBlank({ hasRoom, start }: Needs) {
  let blank: Promise<Container> | undefined;
  let started: Container | undefined;

  function drop(): void {
    blank = undefined;
    started = undefined;
  }

  return {
    prepare(): void {
      if (blank || !hasRoom()) return;
      const starting = start();
      blank = starting;
      starting.then((container) => {
        // Somebody's by now, where it was taken during its start.
        if (blank === starting) started = container;
      }, drop);
    },
    /** Undefined where none is ready in time, or it has ended since. */
    async take(): Promise<Container | undefined> {
      const taken = blank;
      drop();
      const container = await taken?.catch(() => undefined);
      return container?.isOpen() && (await container.ready) ? container : undefined;
    },
    /** For somebody who needs its place. */
    giveUp(): Container | undefined {
      const container = started;
      if (container) drop();
      return container;
    },
    is: (container: Container): boolean => container === started,
    forget(container: Container): void {
      if (container === started) drop();
    },
    count: (): number => (started ? 1 : 0),
  };
}
