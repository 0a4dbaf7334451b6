import { expect, it } from 'vitest';
import { describeRecord } from './describe-record.ts';

const date = '2026-11-22T10:41:07.123Z';
const plain = { isColoured: false };

it.each([
  [
    'an event, by what it says and whom it is about',
    {
      date,
      type: 'f',
      description: 'Staff only',
      user_name: 'eve@example.com',
      client_name: 'My App',
      details: { rule: { name: 'roles' } },
      ip: '203.0.113.9',
    },
    '2026-11-22 10:41:07  f         Staff only, user eve@example.com, client My App, code roles, from 203.0.113.9',
  ],
  [
    'why a rule failed, which the application is not told',
    {
      date,
      type: 'f',
      description: 'The login could not be completed',
      details: { rule: { name: 'roles', failure: 'threw', error_name: 'TypeError', error_message: 'x is undefined' } },
    },
    '2026-11-22 10:41:07  f         The login could not be completed, code roles (TypeError: x is undefined)',
  ],
  [
    'a refusal once, where a rule has said why',
    {
      date,
      type: 'f',
      description: 'Staff only',
      details: {
        rule: { name: 'roles', failure: 'threw', error_name: 'UnauthorizedError', error_message: 'Staff only' },
      },
    },
    '2026-11-22 10:41:07  f         Staff only, code roles',
  ],
  [
    'a rule that never called back',
    { date, type: 'f', description: 'No', details: { rule: { name: 'roles', failure: 'timeout' } } },
    '2026-11-22 10:41:07  f         No, code roles (the time limit passed before it called its callback)',
  ],
  [
    'a console, a line each, and how the execution ended',
    {
      date,
      type: 'console',
      kind: 'rules',
      outcome: 'timeout',
      lines: [{ level: 'log', text: 'one\ntwo', part: { name: 'roles' } }],
    },
    '2026-11-22 10:41:07  console   roles: one\n    two\n2026-11-22 10:41:07  console   (ended by the time limit)',
  ],
  [
    'what strangers put into it, where a terminal would obey',
    { date, type: 'fu', description: '\u001b[2J\u202egnp.exe', user_name: 'a\nb' },
    '2026-11-22 10:41:07  fu        \\u001b[2J\\u202egnp.exe, user a\\u000ab',
  ],
])('shows %s', (_what, record, shown) => {
  expect(describeRecord(record, plain)).toBe(shown);
});

it('colours what failed', () => {
  expect(describeRecord({ date, type: 'f' }, { isColoured: true })).toContain('\u001b[31mf');
});
