import { describe, expect, it } from 'vitest';
import { createSlots, type Seat, type Sender, type Slots } from './slots.ts';

describe('the slots of a process', () => {
  it('are bounded for a host and for all, and it is known who was turned away', () => {
    const slots = createSlots({ ofAll: 3, ofAHost: 2 });
    const taken = ['a', 'a', 'a', 'b', 'b'].map((host, number) => {
      const seat = sit(slots, `s${number}`, { host });
      return { seat, isTaken: seat.take() };
    });
    expect(taken.map(({ isTaken }) => isTaken)).toEqual([true, true, false, true, false]);
    expect(slots.turnedAway().map(({ streamId }) => streamId)).toEqual(['s2', 's4']);
    taken[0]?.seat.release();
    expect([taken[4]?.seat.take(), taken[2]?.seat.take()]).toEqual([true, false]);
    taken[2]?.seat.withdraw();
    expect(slots.turnedAway()).toEqual([]);
  });

  it('are left for other tenants, however many slow hosts one has', () => {
    const slots = createSlots();
    const seats = Array.from({ length: 300 }, (_, host) => sit(slots, 's', { tenantId: 'greedy', host: `h${host}` }));
    expect(seats.filter((seat) => seat.take())).toHaveLength(64);
    expect(sit(slots, 's', { tenantId: 'other', host: 'a' }).take()).toBe(true);
    seats[0]?.release();
    expect([seats[0]?.take(), seats[64]?.take(), seats[65]?.take()]).toEqual([false, true, false]);
  });

  it('of all go to the tenant that holds fewer, however busy the streams of others are', () => {
    const slots = createSlots({ ofAll: 4 });
    const greedy = ['a', 'b'].map((host) => sit(slots, host, { tenantId: 'greedy', host })) as [Seat, Seat];
    expect(greedy.map((seat) => [seat.take(), seat.take()])).toEqual([
      [true, true],
      [true, true],
    ]);
    const other = sit(slots, 's', { tenantId: 'other', host: 'c' });
    expect([greedy[0].take(), other.take()]).toEqual([false, false]);
    greedy[1].release();
    expect([greedy[1].take(), greedy[0].take(), other.take()]).toEqual([false, false, true]);
    other.release();
    expect([other.take(), greedy[0].take()]).toEqual([true, false]);
    other.withdraw();
    greedy[1].release();
    expect([greedy[1].take(), greedy[0].take()]).toEqual([false, true]);
  });

  it('of a tenant go to whichever stream holds fewer, whatever its host', () => {
    const slots = createSlots({ ofATenant: 2 });
    const [busy, young] = ['a', 'b'].map((host) => sit(slots, host, { host })) as [Seat, Seat];
    expect([busy.take(), busy.take(), young.take()]).toEqual([true, true, false]);
    busy.release();
    expect([busy.take(), young.take()]).toEqual([false, true]);
  });

  it('of a host go to whoever holds fewer, and among these to whoever waits for longer', () => {
    const slots = createSlots({ ofAHost: 4 });
    const [greedy, second, third] = ['greedy', 'second', 'third'].map((name) => sit(slots, name)) as [Seat, Seat, Seat];
    expect(takeAll(greedy)).toBe(4);
    expect([second.take(), third.take()]).toEqual([false, false]);
    greedy.release();
    expect([greedy.take(), third.take(), second.take()]).toEqual([false, false, true]);
    greedy.release();
    expect([second.take(), greedy.take(), third.take()]).toEqual([false, false, true]);
    third.withdraw();
    greedy.release();
    expect([second.take(), greedy.take()]).toEqual([false, true]);
  });

  it('of a host are half at most for streams that fail', () => {
    const slots = createSlots({ ofAHost: 4 });
    const failing = Array.from({ length: 4 }, (_, number) => sit(slots, `f${number}`, { isDoubtful: () => true }));
    expect(failing.map((seat) => seat.take())).toEqual([true, true, false, false]);
    expect(takeAll(sit(slots, 'healthy'))).toBe(2);
    failing[0]?.release();
    expect(failing[3]?.take()).toBe(true);
  });

  it('of a host are given back by streams that hang, all but one each and half of all', () => {
    const slots = createSlots({ ofAHost: 6 });
    const asked: number[] = [];
    for (let number = 0; number < 6; number++) {
      let isDoubtful = false;
      const giveWay = (kept: number): number => {
        isDoubtful = true;
        asked.push(kept);
        return kept;
      };
      sit(slots, `h${number}`, { isDoubtful: () => isDoubtful, giveWay }).take();
    }
    expect(sit(slots, 'healthy').take()).toBe(false);
    expect(asked).toEqual([1, 1, 1, 0, 0, 0]);
  });

  it('are not kept by one that waits for its tenant', () => {
    const slots = createSlots({ ofAHost: 2, ofATenant: 1 });
    const [busy, waiting] = [sit(slots, 'a', { host: 'elsewhere' }), sit(slots, 'b')];
    expect([busy.take(), waiting.take()]).toEqual([true, false]);
    expect(sit(slots, 'c', { tenantId: 'other' }).take()).toBe(true);
  });
});

function sit(slots: Slots, streamId: string, more: Partial<Sender> & { tenantId?: string } = {}): Seat {
  const { tenantId = 'dev', ...sender } = more;
  const stream = { tenantId, streamId };
  return slots.seat({ stream, host: 'host', isDoubtful: () => false, giveWay: () => 0, ...sender });
}

function takeAll(seat: Seat): number {
  let count = 0;
  while (seat.take()) count++;
  seat.withdraw();
  return count;
}
