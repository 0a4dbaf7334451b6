import { digest } from '../kit/digest.ts';
import type { TenantCache } from '../tenants/tenant-cache.ts';
import { MOST_RULES, type Rule } from './rule.ts';
import type { RuleStore } from './rule-store.ts';
import type { RulesConfigStore } from './rules-config-store.ts';

/** The enabled rules of a tenant in the order in which they run; the same rules have the same hash. */
export interface RulesProgram {
  readonly hash: string;
  readonly parts: readonly { readonly id: string; readonly name: string; readonly code: string }[];
}

interface Parts {
  readonly cache: Pick<TenantCache, 'get'>;
  readonly rules: Pick<RuleStore, 'window'>;
  readonly rulesConfigs: Pick<RulesConfigStore, 'values'>;
}

export type RulesPrograms = ReturnType<typeof createRulesPrograms>;

/** Rules as a login needs them: from memory, since they are configuration. */
export function createRulesPrograms({ cache, rules, rulesConfigs }: Parts) {
  return {
    /** Undefined where the tenant has no enabled rule. */
    rulesProgramOf: (tenantId: string): Promise<RulesProgram | undefined> =>
      cache.get(tenantId, 'rules program', async () => toProgram(await rules.window(tenantId, true, 0, MOST_RULES))),

    /** What rules read as `configuration`. It is no part of the program: it goes along with each run. */
    rulesConfigurationOf: (tenantId: string): Promise<Readonly<Record<string, string>>> =>
      cache.get(tenantId, 'rules configuration', () => rulesConfigs.values(tenantId)),
  };
}

function toProgram(rules: readonly Rule[]): RulesProgram | undefined {
  if (rules.length === 0) return undefined;
  const parts = rules.map(({ id, name, script }) => ({ id, name, code: script }));
  return { hash: digest(JSON.stringify(parts.map(({ id, name, code }) => [id, name, code]))), parts };
}
