import { describe, expect, it } from 'vitest';
import { createBlank } from './blank-container.ts';
import { createContainer } from './container.ts';
import { DENY_PRIVATE } from './egress.ts';
import { createLauncher } from './launch/launcher.ts';
import { LIMITS } from './limits.ts';

describe('the spare container', () => {
  it('that is taken while it starts is nobody else’s to end', async () => {
    const launcher = createLauncher({ limits: LIMITS });
    const mayStart = Promise.withResolvers<void>();
    const blank = createBlank({
      hasRoom: () => true,
      start: async () => {
        await mayStart.promise;
        const process = await launcher.launch(DENY_PRIVATE);
        return createContainer({
          process,
          limits: LIMITS,
          connect: () => Promise.reject(new Error('no job runs')),
          onStarted: async () => {},
          onEnded: () => {},
          onLateWarning: () => {},
          onRoom: () => {},
        });
      },
    });
    blank.prepare();
    const taken = blank.take();
    mayStart.resolve();
    const container = await taken;
    expect(container?.isOpen()).toBe(true);
    expect([blank.giveUp(), blank.count()]).toEqual([undefined, 0]);
    container?.end();
    await container?.gone;
    await launcher.stop();
  });
});
