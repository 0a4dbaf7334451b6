import { prefixedId, randomAlphanumeric } from '../kit/ids.ts';
import type { RecordEvent } from '../logs/event.ts';
import type { Management, ManagementCall } from '../management/call.ts';
import type { Tenant } from '../tenants/tenant.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import {
  type CustomDomain,
  claimableDomain,
  customDomainErrors,
  type DomainSettings,
  MOST_DOMAINS,
  type OwnNames,
} from './custom-domain.ts';
import type { CustomDomainStore } from './custom-domain-store.ts';
import { customDomainToWire } from './custom-domain-wire.ts';
import { type DnsResolver, faultOfAddress, faultOfProof } from './domain-proof.ts';

export interface CustomDomainStores {
  readonly customDomains: CustomDomainStore;
  readonly tenants: TenantStore;
  readonly record: RecordEvent;
}

interface Parts {
  readonly resolver: DnsResolver;
  readonly ownNames: OwnNames;
  readonly canonicalOrigin: (tenant: Tenant) => string;
  /** Tells this process that origins changed; the database tells the others. */
  readonly forgetOrigins: () => void;
  readonly now: () => Date;
}

/** /custom-domains of the Management API. */
export function customDomainRoutes<Stores extends CustomDomainStores>(
  management: Management<Stores>,
  { resolver, ownNames, canonicalOrigin, forgetOrigins, now }: Parts,
): void {
  const { baseDomain } = ownNames;
  const toWire = (domain: CustomDomain) => customDomainToWire(domain, baseDomain);
  const reread = async (stores: Stores, call: ManagementCall<Stores>, id: string) =>
    toWire(await existing(stores, call, id));

  management.route('GET /custom-domains', async (call) => {
    const { customDomains } = call.stores;
    if (call.query.take === undefined && call.query.from === undefined)
      return (await customDomains.list(tenantOf(call), undefined, MOST_DOMAINS)).map(toWire);
    return call.list('custom_domains', {
      page: async () => [],
      count: () => customDomains.count(tenantOf(call)),
      after: (cursor, limit) => customDomains.list(tenantOf(call), cursor, Math.min(limit, MOST_DOMAINS)),
      cursorOf: ({ id }) => id,
      toWire,
    });
  });

  management.route('POST /custom-domains', async (call) => {
    const { domain, ...settings } = call.body;
    const claimed: CustomDomain = {
      id: prefixedId('cd'),
      domain: claimableDomain(String(domain), ownNames),
      isReady: false,
      isDefault: false,
      // A DNS label, since a CNAME begins with it: case does not count there.
      proof: `cd-${randomAlphanumeric(40).toLowerCase()}`,
      settings: settings as unknown as DomainSettings,
      createdAt: now(),
      checkedAt: undefined,
      error: undefined,
    };
    return call.commit(async (stores) => {
      // So that two requests at once don't pass the limit together.
      await stores.tenants.lockSettings(tenantOf(call));
      if ((await stores.customDomains.count(tenantOf(call))) >= MOST_DOMAINS) throw customDomainErrors.tooMany();
      await stores.customDomains.insert(tenantOf(call), claimed);
      return toWire(claimed);
    });
  });

  management.route('GET /custom-domains/default', async (call) => describeDefault(call.stores, call));

  management.route('PATCH /custom-domains/default', async (call) => {
    const wanted = String(call.body.domain).toLowerCase();
    const answer = await call.commit(async (stores) => {
      await stores.tenants.lockSettings(tenantOf(call));
      const all = await stores.customDomains.list(tenantOf(call), undefined, MOST_DOMAINS);
      const domain = all.find((candidate) => candidate.domain === wanted);
      const isOwn = new URL(canonicalOrigin({ ...call.tenant, canonicalOrigin: undefined })).host === wanted;
      if (domain ? !domain.isReady : !isOwn) throw customDomainErrors.notVerified();
      await stores.tenants.setCanonicalOrigin(tenantOf(call), domain && originOf(domain));
      return domain ? { ...toWire(domain), primary: true, is_default: true } : { domain: wanted };
    });
    forgetOrigins();
    return answer;
  });

  management.route('GET /custom-domains/{id}', async (call) => reread(call.stores, call, idOf(call)));

  management.route('PATCH /custom-domains/{id}', async (call) =>
    call.commit(async (stores) => {
      await stores.customDomains.lock(tenantOf(call), idOf(call));
      const { settings } = await existing(stores, call, idOf(call));
      await stores.customDomains.updateSettings(tenantOf(call), idOf(call), { ...settings, ...call.body });
      return reread(stores, call, idOf(call));
    }),
  );

  management.route('DELETE /custom-domains/{id}', async (call) => {
    await call.commit(async (stores) => {
      const removed = await stores.customDomains.remove(tenantOf(call), idOf(call));
      // Auth0 answers 204 for what is not there, too.
      if (removed?.isReady) await stores.tenants.removeOrigin(tenantOf(call), originOf(removed));
      return {};
    });
    forgetOrigins();
  });

  management.route('POST /custom-domains/{id}/test', async (call) => {
    const { domain, isReady } = await existing(call.stores, call, idOf(call));
    const fault = isReady ? await faultOfAddress(resolver, domain) : 'The domain is not verified yet.';
    return call.commit(async () => (fault ? { success: false, message: fault } : { success: true }));
  });

  management.route('POST /custom-domains/{id}/verify', async (call) => {
    const claimed = await existing(call.stores, call, idOf(call));
    const fault = claimed.isReady ? undefined : await faultOfProof(resolver, claimed, baseDomain);
    const answer = await call.commit(async (stores) => {
      if (!(await stores.customDomains.lock(tenantOf(call), claimed.id))) throw missing(claimed.id);
      const { isReady } = await existing(stores, call, claimed.id);
      if (!isReady) await stores.customDomains.noteCheck(tenantOf(call), claimed.id, now(), fault);
      if (!isReady && fault !== undefined) await stores.record(tenantOf(call), failedEvent(call, claimed, fault));
      if (!isReady && fault === undefined) {
        await stores.customDomains.makeReady(tenantOf(call), claimed.id);
        if (!(await stores.tenants.claimOrigin(tenantOf(call), originOf(claimed)))) throw customDomainErrors.taken();
      }
      return reread(stores, call, claimed.id);
    });
    forgetOrigins();
    return answer;
  });

  async function describeDefault(stores: Stores, call: ManagementCall<Stores>) {
    const all = await stores.customDomains.list(tenantOf(call), undefined, MOST_DOMAINS);
    const domain = all.find(({ isDefault }) => isDefault);
    return domain ? toWire(domain) : { domain: new URL(canonicalOrigin(call.tenant)).host };
  }
}

async function existing(
  { customDomains }: CustomDomainStores,
  call: Pick<ManagementCall<unknown>, 'tenant'>,
  id: string,
): Promise<CustomDomain> {
  const found = await customDomains.find(call.tenant.tenantId, id);
  if (!found) throw missing(id);
  return found;
}

const missing = (id: string) => customDomainErrors.notFound({ id: id.slice(0, 100) });

function failedEvent({ requester, actor }: ManagementCall<unknown>, { domain }: CustomDomain, description: string) {
  return {
    type: 'customDomainVerificationFailed' as const,
    ...requester,
    description,
    clientId: actor.clientId,
    details: { domain },
  };
}

const originOf = ({ domain }: { readonly domain: string }) => `https://${domain}`;
const tenantOf = ({ tenant }: Pick<ManagementCall<unknown>, 'tenant'>) => tenant.tenantId;
const idOf = ({ params }: Pick<ManagementCall<unknown>, 'params'>) => params.id ?? '';
