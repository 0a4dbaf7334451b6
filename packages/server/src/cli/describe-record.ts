import { styleText } from 'node:util';
import { type Json, objectOf, objectsOf, textOf } from '../kit/json-values.ts';
import { printable } from './printable.ts';

type Colour = 'red' | 'yellow' | 'green' | 'dim';

const LEVELS: Readonly<Record<string, Colour>> = { error: 'red', warn: 'yellow', debug: 'dim' };

/** A record of `gatewright logs tail` as a line for people; what code printed, a line each. */
export function describeRecord(record: Json, { isColoured }: { isColoured: boolean }): string {
  const paint = (colour: Colour | undefined, text: string) =>
    isColoured && colour ? styleText(colour, text, { validateStream: false }) : text;
  const time = paint('dim', (textOf(record.date) ?? '').replace('T', ' ').replace(/\.\d+Z$/, ''));
  const type = textOf(record.type) ?? '';
  if (type !== 'console') return [time, paint(colourOf(type), printable(type).padEnd(8)), summaryOf(record)].join('  ');
  const said = objectsOf(record.lines).map(({ level, text, part }) => {
    const source = printable(textOf(objectOf(part).name) ?? textOf(record.kind) ?? '');
    const words = printable(textOf(text) ?? '', '\n').replaceAll('\n', '\n    ');
    return [time, 'console ', `${paint('dim', `${source}:`)} ${paint(LEVELS[textOf(level) ?? ''], words)}`].join('  ');
  });
  const { outcome } = record;
  if (outcome !== 'ok') said.push([time, 'console ', paint('red', `(${endOf(String(outcome))})`)].join('  '));
  return said.join('\n');
}

/** Its event, which follows or came before, names the rule or action and the reason. */
function endOf(outcome: string): string {
  if (outcome === 'threw') return 'ended with an error';
  return outcome === 'timeout' ? 'ended by the time limit' : `ended with ${printable(outcome)}`;
}

/** As the first letter of a type says it. */
function colourOf(type: string): Colour {
  if (type.startsWith('f') || type.startsWith('limit') || type.includes('failed')) return 'red';
  return type.startsWith('w') || type.startsWith('api_limit') ? 'yellow' : 'green';
}

function summaryOf({ description, user_name, client_name, client_id, connection, ip, details }: Json): string {
  const { rule, action, action_name } = objectOf(details);
  const code = textOf(objectOf(rule).name) ?? textOf(objectOf(action).name) ?? textOf(action_name);
  const reason = reasonOf(objectOf(rule), textOf(description));
  const members = [
    textOf(description) || undefined,
    textOf(user_name) && `user ${user_name}`,
    textOf(client_name ?? client_id) && `client ${client_name ?? client_id}`,
    textOf(connection) && `connection ${connection}`,
    code && `code ${code}${reason}`,
    textOf(ip) && `from ${ip}`,
  ];
  return members
    .filter((member) => member !== undefined && member !== '')
    .map((member) => printable(String(member)))
    .join(', ');
}

/** Why a rule failed, where the description, which the application hears, does not say so. */
function reasonOf({ failure, error_name, error_message }: Json, description: string | undefined): string {
  if (textOf(failure) === undefined || (error_message !== undefined && error_message === description)) return '';
  if (failure === 'timeout') return ' (the time limit passed before it called its callback)';
  return ` (${error_name ? `${error_name}: ${error_message}` : failure})`;
}
