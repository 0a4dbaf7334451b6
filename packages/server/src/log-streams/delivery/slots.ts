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

/** Slots that are taken, and who found none, in the order in which they came: of everybody, of a tenant, of a host. */
interface Share {
  taken: number;
  readonly waiting: Set<Place>;
}

interface Host extends Share {
  readonly holders: Set<Place>;
}

const OF_ALL = 256;
/** A tenant chooses how many hosts it has, and how long they take to answer. */
const OF_A_TENANT = 64;
const OF_A_HOST = 20;

/**
 * How many sends are open at once in this process, whoever's they are: a host that hangs keeps its own share and no more, a
 * tenant likewise. Where slots are short they go round: to the tenant that holds fewer, of a tenant and of a host to the
 * stream that holds fewer, then to whoever waits for longer.
 */
export function createSlots({ ofAll = OF_ALL, ofATenant = OF_A_TENANT, ofAHost = OF_A_HOST } = {}): Slots {
  const all: Share = { taken: 0, waiting: new Set() };
  const tenants = new Map<string, Share>();
  const hosts = new Map<string, Host>();
  const refused = new Set<Place>();

  function hostOf({ sender }: Place): Host {
    const known = hosts.get(sender.host) ?? { taken: 0, holders: new Set(), waiting: new Set() };
    hosts.set(sender.host, known);
    return known;
  }

  function tenantOf({ sender }: Place): Share {
    const { tenantId } = sender.stream;
    const known = tenants.get(tenantId) ?? { taken: 0, waiting: new Set() };
    tenants.set(tenantId, known);
    return known;
  }

  function forget({ sender }: Place): void {
    if (isIdle(hosts.get(sender.host))) hosts.delete(sender.host);
    if (isIdle(tenants.get(sender.stream.tenantId))) tenants.delete(sender.stream.tenantId);
  }

  function take(place: Place): boolean {
    const [host, tenant] = [hostOf(place), tenantOf(place)];
    const lacking = lackingShare(place, host, tenant);
    // Who can't take a slot anyway keeps nobody else waiting.
    for (const share of [all, tenant, host]) if (share !== lacking) share.waiting.delete(place);
    if (lacking === undefined) {
      refused.delete(place);
      for (const share of [all, tenant, host]) share.taken++;
      host.holders.add(place);
      place.held++;
      return true;
    }
    if (lacking === host && host.taken >= ofAHost) askToGiveWay(host);
    if (lacking !== 'doubted') lacking.waiting.add(place);
    refused.add(place);
    forget(place);
    return false;
  }

  /** Where there is no slot for it, or others come first. */
  function lackingShare(place: Place, host: Host, tenant: Share): Share | 'doubted' | undefined {
    if (all.taken >= ofAll) return all;
    if (tenant.taken >= ofATenant) return tenant;
    if (isOneDoubtTooMany(place, host)) return 'doubted';
    if (host.taken >= ofAHost || !isItsTurn(place, host.waiting, heldBy)) return host;
    if (!isItsTurn(place, tenant.waiting, heldBy)) return tenant;
    return isItsTurn(place, all.waiting, (other) => tenantOf(other).taken) ? undefined : all;
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
          for (const share of [all, tenantOf(place), host]) share.taken--;
          place.held--;
          if (place.held === 0) host.holders.delete(place);
          forget(place);
        },
        withdraw() {
          if (!refused.delete(place)) return;
          for (const share of [all, tenantOf(place), hostOf(place)]) share.waiting.delete(place);
          forget(place);
        },
      };
    },
    turnedAway: () => [...refused].map(({ sender }) => sender.stream),
  };
}

function isIdle(share: Share | undefined): boolean {
  return share?.taken === 0 && share.waiting.size === 0;
}

function heldBy({ held }: Place): number {
  return held;
}

function isItsTurn(place: Place, waiting: ReadonlySet<Place>, rank: (place: Place) => number): boolean {
  const own = rank(place);
  let isBefore = true;
  for (const other of waiting) {
    if (other === place) isBefore = false;
    else if (rank(other) < own || (isBefore && rank(other) === own)) return false;
  }
  return true;
}

function doubtfulSlots(holders: ReadonlySet<Place>): number {
  let count = 0;
  for (const { held, sender } of holders) if (sender.isDoubtful()) count += held;
  return count;
}
