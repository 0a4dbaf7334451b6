import { requireStored } from '../stored-modules.ts';

interface Address {
  kind(): string;
}

interface AddressModule {
  isValid(text: string): boolean;
  process(text: string): Address & { match(range: [Address, number]): boolean };
  parseCIDR(text: string): [Address, number];
}

/** `ip('10.1.2.3').in_range(['10.0.0.0/8', '192.168.1.1'])`. */
export function ip(address: unknown): { in_range(ranges: unknown): boolean } {
  const module = requireStored('ipaddr.js') as AddressModule;
  return {
    in_range(ranges) {
      const text = String(address);
      if (!module.isValid(text)) return false;
      const parsed = module.process(text);
      return (Array.isArray(ranges) ? ranges : [ranges]).some((range: unknown) => {
        const cidr = String(range);
        if (!cidr.includes('/')) return module.isValid(cidr) && String(module.process(cidr)) === String(parsed);
        const [network, bits] = module.parseCIDR(cidr);
        return network.kind() === parsed.kind() && parsed.match([network, bits]);
      });
    },
  };
}
