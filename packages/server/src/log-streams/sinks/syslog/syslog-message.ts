import { textOf } from '../../../kit/json-values.ts';
import { severityOf } from '../event-severity.ts';
import { unitOf } from '../posting/posting-sink.ts';
import type { StreamedEvent } from '../sink.ts';

/** "log audit", RFC 5424 section 6.2.1. */
export const LOG_AUDIT = 13;
/** RFC 5612: the number of examples, which nobody's own structured data collides with; we have none of our own. */
const STRUCTURED_DATA_ID = 'gatewright@32473';
const LONGEST_PARAMETER = 1_000;

/** RFC 5424. One line of it whatever the event holds: its message is ASCII JSON, in which a newline is `\n`. */
export function toSyslogMessage(event: StreamedEvent, facility: number): string {
  const { at, data, tenantId, logId } = event;
  const type = textOf(data.type) ?? '';
  const header = [
    `<${facility * 8 + severityOf(type).syslog}>1`,
    at.toISOString(),
    headerField(textOf(data.hostname) ?? tenantId, 255),
    'gatewright',
    '-',
    headerField(type, 32),
  ].join(' ');
  const parameters = {
    log_id: logId,
    tenant: tenantId,
    type,
    client_id: textOf(data.client_id),
    connection: textOf(data.connection),
    user_id: textOf(data.user_id),
    ip: textOf(data.ip),
  };
  return `${header} [${STRUCTURED_DATA_ID}${Object.entries(parameters).map(parameter).join('')}] ${ascii(unitOf(event))}`;
}

/** RFC 6587 section 3.4.1, RFC 5425 section 4.3: the number of octets, a space, the message. */
export function toFrame(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`;
}

/** PRINTUSASCII, or the nil value. */
function headerField(text: string, mostCharacters: number): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, mostCharacters) || '-';
}

function parameter([name, value]: [string, string | undefined]): string {
  if (value === undefined || value === '') return '';
  const plain = value
    .slice(0, LONGEST_PARAMETER)
    .toWellFormed()
    .replace(/\p{Cc}|[\u2028\u2029]/gu, octal);
  return ` ${name}="${plain.replace(/["\\\]]/g, '\\$&')}"`;
}

/** As rsyslog shows control characters; RFC 5424 has no escape for them. */
function octal(character: string): string {
  return `#${(character.codePointAt(0) ?? 0).toString(8).padStart(3, '0')}`;
}

/** JSON in ASCII: no receiver can take a byte of it for something else, and no byte order mark is due. */
function ascii(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
