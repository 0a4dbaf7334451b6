import { describe, expect, it } from 'vitest';
import { logTypes } from '../logs/log-types.ts';
import { EXPORTED_TYPES, isExported } from './exported-types.ts';

/** The table that users of Auth0's webhooks extension set LOG_LEVEL by, row by row. */
const TABLE = `
s Success Login 1
seacft Success Exchange 1
feacft Failed Exchange 3
f Failed Login 3
w Warnings During Login 2
du Deleted User 1
fu Failed Login (invalid email/username) 3
fp Failed Login (wrong password) 3
fc Failed by Connector 3
fco Failed by CORS 3
con Connector Online 1
coff Connector Offline 3
fcpro Failed Connector Provisioning 4
ss Success Signup 1
fs Failed Signup 3
cs Code Sent 0
cls Code/Link Sent 0
sv Success Verification Email 0
fv Failed Verification Email 0
scp Success Change Password 1
fcp Failed Change Password 3
sce Success Change Email 1
fce Failed Change Email 3
scu Success Change Username 1
fcu Failed Change Username 3
scpn Success Change Phone Number 1
fcpn Failed Change Phone Number 3
svr Success Verification Email Request 0
fvr Failed Verification Email Request 3
scpr Success Change Password Request 0
fcpr Failed Change Password Request 3
fn Failed Sending Notification 3
limit_wc Blocked Account 4
limit_ui Too Many Calls to /userinfo 4
api_limit Rate Limit On API 4
sdu Successful User Deletion 1
fdu Failed User Deletion 3`
  .trim()
  .split('\n')
  .map((row) => {
    const [, type = '', event = '', level = ''] = /^(\S+) (.+) (\d)$/.exec(row) ?? [];
    return { type, event, level: Number(level) };
  });

const LEVELS = [0, 1, 2, 3, 4];
const sent = (types: readonly string[], level: number, of: readonly string[] = TABLE.map(({ type }) => type)) =>
  of.filter((type) => isExported(type, { level, types }));

describe('the types of an export', () => {
  it.each(TABLE)(
    '$type ($event) has the level $level: it is sent from LOG_LEVEL 0 up to that, and not above',
    ({ type, event, level }) => {
      expect(EXPORTED_TYPES[type]).toEqual({ event, level });
      expect(LEVELS.filter((least) => isExported(type, { level: least, types: [] }))).toEqual(
        LEVELS.slice(0, level + 1),
      );
    },
  );

  it('are these 37 with a level, all of which the log knows', () => {
    expect(TABLE).toHaveLength(37);
    expect(Object.keys(EXPORTED_TYPES)).toEqual(TABLE.map(({ type }) => type));
    const known = Object.values(logTypes).map(({ code }) => code);
    expect(TABLE.filter(({ type }) => !known.includes(type as (typeof known)[number]))).toEqual([]);
  });

  it.each([
    [0, 37],
    [1, 31],
    [2, 21],
    [3, 20],
    [4, 4],
  ])('are with LOG_LEVEL %i those of this level and higher: %i of the table', (level, count) => {
    expect(sent([], level)).toHaveLength(count);
  });

  it('are with LOG_TYPES sce,fce,scu,fcu these four', () => {
    expect(sent(['sce', 'fce', 'scu', 'fcu'], 0)).toEqual(['sce', 'fce', 'scu', 'fcu']);
  });

  it('must pass both filters where both are set', () => {
    expect(sent(['s', 'f', 'limit_wc'], 3)).toEqual(['f', 'limit_wc']);
  });

  it('without a row in the table have no level: they pass each LOG_LEVEL, and LOG_TYPES as others do', () => {
    expect(sent([], 4, ['sepft', 'gd_auth_failed', 'toString'])).toEqual(['sepft', 'gd_auth_failed', 'toString']);
    expect(sent(['s'], 0, ['sepft'])).toEqual([]);
  });

  it('never are what the Management API did, even where LOG_TYPES names it', () => {
    expect(sent(['sapi', 'fapi'], 0, ['sapi', 'fapi'])).toEqual([]);
    expect(sent([], 0, ['sapi', 'fapi'])).toEqual([]);
  });
});
