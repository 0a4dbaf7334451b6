import { faultOfFileSettings } from './file/file-sink.ts';
import { faultOfDatadogSettings } from './posting/datadog-sink.ts';
import { faultOfHttpSettings } from './posting/http-sink.ts';
import { faultOfOtlpSettings } from './posting/otlp-sink.ts';
import { faultOfSplunkSettings } from './posting/splunk-sink.ts';
import { faultOfSumoSettings } from './posting/sumo-sink.ts';
import type { SinkSettings, StreamType } from './sink.ts';
import { faultOfSyslogSettings } from './syslog/syslog-sink.ts';

/** The members of the types that Auth0 does not have; those of its own are in the catalogue. */
const MEMBERS: Partial<Record<StreamType, readonly string[]>> = {
  file: ['fileMaxMegabytes', 'fileKeepDays'],
  syslog: ['syslogHost', 'syslogPort', 'syslogSecure', 'syslogCa', 'syslogFacility'],
  otlp: ['otlpEndpoint', 'otlpHeaders'],
};

const CHECKS: Partial<Record<StreamType, (settings: SinkSettings) => string | undefined>> = {
  http: faultOfHttpSettings,
  datadog: faultOfDatadogSettings,
  splunk: faultOfSplunkSettings,
  sumo: faultOfSumoSettings,
  file: faultOfFileSettings,
  syslog: faultOfSyslogSettings,
  otlp: faultOfOtlpSettings,
};

/** What is wrong with a stream's `sink`, in words for its tenant; the first fault of it. */
export function faultOfSettings(type: StreamType, settings: SinkSettings): string | undefined {
  const stray = Object.keys(settings).find((name) => MEMBERS[type]?.includes(name) === false);
  if (stray !== undefined) return `sink of a ${type} stream has no member ${stray.slice(0, 100)}.`;
  return CHECKS[type]?.(settings);
}
