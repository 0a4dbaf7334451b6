import type { StreamKey } from './state/delivery-store.ts';

/** A stream among those that send to its host. */
export interface Seat {
  /** False where all slots are taken (of everybody, of this tenant, of this host), or where others come first. */
  take(): boolean;
  release(): void;
  /** It wants none for now. */
  withdraw(): void;
}

/** Who sits there. */
export interface Sender {
  readonly stream: StreamKey;
  readonly host: string;
  /** Its last send failed, or nothing is answered: such streams have half of their host's slots at most. */
  readonly isDoubtful: () => boolean;
  /** For others who wait: where nothing is answered, all sends but so many are called off. Tells how many hang. */
  readonly giveWay: (kept: number) => number;
}

export interface Slots {
  seat(sender: Sender): Seat;
  /** Those that were turned away, the first one first: what is free by now may be theirs. */
  turnedAway(): StreamKey[];
}

interface Place {
  readonly sender: Sender;
  held: number;
}

interface Host {
  /** Slots that are taken. */
  taken: number;
  readonly holders: Set<Place>;
  /** Found no slot at this host, in the order in which they came. */
  readonly waiting: Set<Place>;
}

const OF_ALL = 256;
/** A tenant chooses how many hosts it has, and how long they take to answer. */
const OF_A_TENANT = 64;
const OF_A_HOST = 20;

/**
 * How many sends are open at once in this process, whoever's they are: a host that hangs keeps its own share and no more, a
 * tenant likewise. Streams of one host take turns: whoever holds fewer slots comes first, then whoever waits for longer.
 */
export function createSlots({ ofAll = OF_ALL, ofATenant = OF_A_TENANT, ofAHost = OF_A_HOST } = {}): Slots {
  const hosts = new Map<string, Host>();
  const tenants = new Map<string, number>();
  const refused = new Set<Place>();
  let all = 0;

  function hostOf({ sender }: Place): Host {
    const known = hosts.get(sender.host) ?? { taken: 0, holders: new Set(), waiting: new Set() };
    hosts.set(sender.host, known);
    return known;
  }

  function forget({ sender }: Place, host: Host): void {
    if (host.taken === 0 && host.waiting.size === 0) hosts.delete(sender.host);
  }

  function take(place: Place): boolean {
    const host = hostOf(place);
    const ofTenant = tenants.get(place.sender.stream.tenantId) ?? 0;
    const isElsewhere = all >= ofAll || ofTenant >= ofATenant || isOneDoubtTooMany(place, host);
    // Who can't take a slot anyway keeps nobody else waiting.
    if (isElsewhere) host.waiting.delete(place);
    else if (host.taken >= ofAHost) {
      host.waiting.add(place);
      askToGiveWay(host);
    } else if (!isItsTurn(place, host.waiting)) host.waiting.add(place);
    else {
      host.waiting.delete(place);
      refused.delete(place);
      all++;
      tenants.set(place.sender.stream.tenantId, ofTenant + 1);
      host.taken++;
      host.holders.add(place);
      place.held++;
      return true;
    }
    refused.add(place);
    forget(place, host);
    return false;
  }

  function isOneDoubtTooMany({ sender }: Place, { holders }: Host): boolean {
    return sender.isDoubtful() && doubtfulSlots(holders) >= ofAHost / 2;
  }

  /** Slots of streams that hang are free again sooner than these would time out. */
  function askToGiveWay({ holders }: Host): void {
    let doubtful = doubtfulSlots(holders);
    for (const { sender } of holders) {
      const isCounted = sender.isDoubtful();
      const left = sender.giveWay(isCounted || doubtful < ofAHost / 2 ? 1 : 0);
      if (!isCounted) doubtful += left;
    }
  }

  return {
    seat(sender) {
      const place: Place = { sender, held: 0 };
      return {
        take: () => take(place),
        release() {
          const host = hostOf(place);
          all--;
          host.taken--;
          place.held--;
          if (place.held === 0) host.holders.delete(place);
          const { tenantId } = sender.stream;
          const left = (tenants.get(tenantId) ?? 1) - 1;
          if (left === 0) tenants.delete(tenantId);
          else tenants.set(tenantId, left);
          forget(place, host);
        },
        withdraw() {
          if (!refused.delete(place)) return;
          const host = hostOf(place);
          host.waiting.delete(place);
          forget(place, host);
        },
      };
    },
    turnedAway: () => [...refused].map(({ sender }) => sender.stream),
  };
}

function isItsTurn(place: Place, waiting: ReadonlySet<Place>): boolean {
  let isBefore = true;
  for (const other of waiting) {
    if (other === place) isBefore = false;
    else if (other.held < place.held || (isBefore && other.held === place.held)) return false;
  }
  return true;
}

function doubtfulSlots(holders: ReadonlySet<Place>): number {
  let count = 0;
  for (const { held, sender } of holders) if (sender.isDoubtful()) count += held;
  return count;
}
