import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../test/world.ts';
import { createClockWatch } from './clock-watch.ts';

const DAY = 86_400_000;

let world: World;
let wall = 0;
let monotonic = 0;
let said: string[] = [];
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  said = [];
  await world.database.pool.query(`delete from log_events where type = 'w'`);
});

describe('a server whose clock', () => {
  it.each([
    ['ahead', DAY, 86_400],
    ['back', -DAY, -86_400],
    ['ahead', 30_000, 30],
  ])(
    'jumps %s says so once: a line for the operator, and a warning in the log of the default tenant',
    async (direction, jump, seconds) => {
      const watch = watchClock();
      await pass(watch, 2_000);
      wall += jump;
      await pass(watch, 2_000);
      await pass(watch, 2_000);
      expect(said).toEqual([expect.stringContaining(`jumped ${direction} by ${Math.abs(seconds)} seconds`)]);
      expect(await warnings()).toMatchObject([{ description: said[0], details: { warning: 'clock_jumped', seconds } }]);
      wall -= jump;
      await pass(watch, 2_000);
      expect((await warnings()).map(({ details }) => Object(details).seconds).sort()).toEqual(
        [seconds, -seconds].sort(),
      );
    },
  );

  it('is corrected little by little, or is not read for a while, says nothing', async () => {
    const watch = watchClock();
    for (let step = 0; step < 20; step++) {
      wall += 900;
      await pass(watch, 2_000);
    }
    await pass(watch, DAY);
    expect(said).toEqual([]);
    expect(await warnings()).toEqual([]);
  });

  it('jumps while the database is away is told once it is back', async () => {
    let isAway = true;
    const watch = watchClock(async () => {
      if (isAway) throw new Error('away');
      return 'dev';
    });
    wall += DAY;
    await expect(watch.look()).rejects.toThrow('away');
    isAway = false;
    await pass(watch, 2_000);
    expect(said).toHaveLength(1);
    expect(await warnings()).toHaveLength(1);
  });
});

function watchClock(defaultTenant: () => Promise<string | undefined> = async () => 'dev') {
  return createClockWatch({
    transact: world.app.transact,
    defaultTenant,
    log: { info: () => {}, warn: (line) => said.push(line), error: () => {} },
    now: () => new Date(Date.UTC(2026, 10, 22) + wall),
    monotonic: () => monotonic,
  });
}

async function pass(watch: ReturnType<typeof createClockWatch>, milliseconds: number): Promise<void> {
  wall += milliseconds;
  monotonic += milliseconds;
  await watch.look();
}

async function warnings() {
  return (await world.events()).filter(({ type }) => type === 'w');
}
