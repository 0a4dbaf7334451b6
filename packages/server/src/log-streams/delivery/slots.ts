export interface Slots {
  /** False where all are taken: of everybody, of this tenant, or of this host. */
  take(tenantId: string, host: string): boolean;
  release(tenantId: string, host: string): void;
  /** Whether somebody was turned away since the last look: what is free now may be theirs. */
  takeRefused(): boolean;
}

const OF_ALL = 256;
/** A tenant chooses how many hosts it has, and how long they take to answer. */
const OF_A_TENANT = 64;
const OF_A_HOST = 20;

/** How many sends are open at once in this process, whoever's they are: a host that hangs keeps its own share and no more, a tenant likewise. */
export function createSlots({ ofAll = OF_ALL, ofATenant = OF_A_TENANT, ofAHost = OF_A_HOST } = {}): Slots {
  const hosts = new Map<string, number>();
  const tenants = new Map<string, number>();
  let all = 0;
  let isRefused = false;

  return {
    take(tenantId, host) {
      const [ofTenant, ofHost] = [tenants.get(tenantId) ?? 0, hosts.get(host) ?? 0];
      if (all >= ofAll || ofTenant >= ofATenant || ofHost >= ofAHost) {
        isRefused = true;
        return false;
      }
      all++;
      tenants.set(tenantId, ofTenant + 1);
      hosts.set(host, ofHost + 1);
      return true;
    },
    release(tenantId, host) {
      all--;
      releaseOne(tenants, tenantId);
      releaseOne(hosts, host);
    },
    takeRefused() {
      const was = isRefused;
      isRefused = false;
      return was;
    },
  };
}

function releaseOne(open: Map<string, number>, name: string): void {
  const left = (open.get(name) ?? 1) - 1;
  if (left === 0) open.delete(name);
  else open.set(name, left);
}
