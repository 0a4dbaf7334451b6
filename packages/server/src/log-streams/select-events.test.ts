import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logTypes } from '../logs/log-types.ts';
import { createEventSelection, FILTER_GROUPS, filterGroupOf } from './select-events.ts';

const catalogue: { LogStreamFilterGroupNameEnum: { enum: string[] } } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../management/catalogue/definitions.generated.json'), 'utf8'),
);
const byGroup = (name: string) => createEventSelection([{ type: 'category', name }]);

describe('the groups of a filter', () => {
  it('are those that the Management API takes', () => {
    expect([...FILTER_GROUPS].sort()).toEqual([...catalogue.LogStreamFilterGroupNameEnum.enum].sort());
  });

  it('hold every type of event once', () => {
    const strays = Object.values(logTypes).filter(({ code }) => {
      const takers = FILTER_GROUPS.filter((name) => byGroup(name)(code));
      return takers.length !== 1 || takers[0] !== filterGroupOf(code);
    });
    expect(strays).toEqual([]);
  });

  it.each([
    ['actions', 'actions_execution_failed', 's'],
    ['auth.login.fail', 'fp', 's'],
    ['auth.login.notification', 'scv', 's'],
    ['auth.login.success', 's', 'f'],
    ['auth.logout.fail', 'flo', 'slo'],
    ['auth.logout.success', 'slo', 'flo'],
    ['auth.signup.fail', 'fs', 'ss'],
    ['auth.signup.success', 'ss', 'fs'],
    ['auth.silent_auth.fail', 'fsa', 'ssa'],
    ['auth.silent_auth.success', 'ssa', 'fsa'],
    ['auth.token_exchange.fail', 'feccft', 'seccft'],
    ['auth.token_exchange.success', 'seccft', 'feccft'],
    ['management.fail', 'fapi', 'sapi'],
    ['management.success', 'sapi', 'fapi'],
    ['other', 'pwd_leak', 's'],
    ['scim.event', 'sscim', 's'],
    ['system.notification', 'limit_wc', 's'],
    ['user.fail', 'fcp', 'scp'],
    ['user.notification', 'cs', 'scp'],
    ['user.success', 'scp', 'fcp'],
  ])('%s takes %s and not %s', (name, wanted, unwanted) => {
    expect([wanted, unwanted].map(byGroup(name))).toEqual([true, false]);
  });

  it('take what nobody has classified into `other`', () => {
    expect(['other', 'user.success'].map((name) => byGroup(name)('a_type_of_tomorrow'))).toEqual([true, false]);
  });
});

describe('a selection', () => {
  it('takes everything without a filter', () => {
    expect(['s', 'a_type_of_tomorrow'].map(createEventSelection([]))).toEqual([true, true]);
  });

  it('takes what any of its filters takes', () => {
    const wants = createEventSelection([
      { type: 'category', name: 'auth.login.success' },
      { type: 'category', name: 'user.fail' },
    ]);
    expect(['s', 'fcp', 'f'].map(wants)).toEqual([true, true, false]);
  });

  it('takes nothing where its filters name nothing', () => {
    expect(createEventSelection([{ type: 'category', name: 'no.such.group' }])('s')).toBe(false);
    expect(createEventSelection([{ type: 'level', name: 'auth.login.success' }])('s')).toBe(false);
  });
});
