import { isIPv4 } from 'node:net';
import type { ControlVerbs } from '../control/control-server.ts';
import { defineErrors } from '../kit/errors.ts';
import { createAddressPolicy } from '../outgoing/address-policy.ts';
import { type Tenant, tenantErrors } from '../tenants/tenant.ts';
import { type Egress, isHostAndPort } from './egress.ts';
import type { EgressStore } from './egress-store.ts';

const egressErrors = defineErrors({
  noTarget: {
    status: 400,
    code: 'invalid_target',
    message: "'{target}' is no host and port: write db.example.com:5432 or [fd12::5]:5432, in lower case.",
  },
  privateTarget: {
    status: 400,
    code: 'private_target',
    message: "'{target}' is a private address, which nothing but --intranet opens.",
  },
  unknownMode: {
    status: 400,
    code: 'invalid_mode',
    message: "'{mode}' is no mode: use deny-private, allowlist or default.",
  },
  tooMany: { status: 400, code: 'too_many_targets', message: 'A tenant may have {most} targets of a kind.' },
});

const MOST_TARGETS = 100;

interface Needs {
  readonly stores: {
    readonly egress: EgressStore;
    readonly tenants: { find(tenantId: string): Promise<Tenant | undefined> };
  };
  readonly forget: (tenantId: string) => void;
  readonly defaultMode: Egress['mode'];
}

/** `gatewright egress …`, as the running server carries it out. */
export function egressCommands({ stores, forget, defaultMode }: Needs): ControlVerbs {
  const change =
    (work: (tenantId: string, input: Readonly<Record<string, unknown>>) => Promise<void>) =>
    async (input: Readonly<Record<string, unknown>>) => {
      const tenantId = String(input.tenant);
      if (!(await stores.tenants.find(tenantId))) throw tenantErrors.unknownTenant({ name: tenantId });
      await work(tenantId, input);
      forget(tenantId);
      const found = await stores.egress.find(tenantId);
      const { mode, hosts = [], intranet = [] } = found ?? {};
      return { tenant: tenantId, mode: mode ?? defaultMode, is_default_mode: mode === undefined, hosts, intranet };
    };

  return {
    'egress-show': change(async () => undefined),
    'egress-mode': change(async (tenantId, { mode }) => {
      if (mode !== 'deny-private' && mode !== 'allowlist' && mode !== 'default')
        throw egressErrors.unknownMode({ mode: String(mode) });
      await stores.egress.setMode(tenantId, mode === 'default' ? null : mode);
    }),
    'egress-allow': change(async (tenantId, { target, intranet }) => {
      const list = intranet === true ? 'intranet' : 'hosts';
      const text = targetOf(target);
      if (list === 'hosts' && isPrivate(text)) throw egressErrors.privateTarget({ target: text });
      const known = (await stores.egress.find(tenantId))?.[list] ?? [];
      if (known.length >= MOST_TARGETS && !known.includes(text)) throw egressErrors.tooMany({ most: MOST_TARGETS });
      await stores.egress.allow(tenantId, list, text);
    }),
    'egress-remove': change((tenantId, { target }) => stores.egress.remove(tenantId, targetOf(target))),
  };
}

function targetOf(value: unknown): string {
  const target = String(value);
  if (!isHostAndPort(target)) throw egressErrors.noTarget({ target: target.slice(0, 100) });
  return target;
}

const publicAddresses = createAddressPolicy({ loopback: false, allowed: [] });

/** Of those that stay denied whatever is allowed; where a name leads is seen when code connects. */
function isPrivate(target: string): boolean {
  const host = target.slice(0, target.lastIndexOf(':'));
  return host === 'localhost' || (isIPv4(host) && !publicAddresses.allows(host));
}
