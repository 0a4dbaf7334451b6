import { logTypes } from '../../logs/log-types.ts';

export interface Severity {
  /** RFC 5424 section 6.2.1. */
  readonly syslog: number;
  /** OpenTelemetry's SeverityNumber and its text. */
  readonly otlp: number;
  readonly text: string;
}

/** By the event's level, 0 to 4. */
const SEVERITIES: readonly Severity[] = [
  { syslog: 7, otlp: 5, text: 'DEBUG' },
  { syslog: 6, otlp: 9, text: 'INFO' },
  { syslog: 4, otlp: 13, text: 'WARN' },
  { syslog: 3, otlp: 17, text: 'ERROR' },
  { syslog: 2, otlp: 21, text: 'FATAL' },
];
const INFO: Severity = { syslog: 6, otlp: 9, text: 'INFO' };
const levels: ReadonlyMap<unknown, number> = new Map(Object.values(logTypes).map(({ code, level }) => [code, level]));

/** Of the type (the wire's code); one that is not in the table is information. */
export function severityOf(type: unknown): Severity {
  return SEVERITIES[levels.get(type) ?? 1] ?? INFO;
}
