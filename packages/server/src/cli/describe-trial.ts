import type { Change } from '../rules/try/list-changes.ts';
import type { Report, Verdict } from '../rules/try/try-rules.ts';
import { describeCall, describeRun, inJson } from './describe-run.ts';
import { printable } from './printable.ts';

/** What `gatewright rules try` prints for people. */
export function describeTrial(report: Report): string {
  const { changes, droppedClaims, calls, verdict } = report;
  const sections = [
    ['Management API', calls.map(describeCall)],
    ['Changes', changes.map(describeChange)],
    ['Claims that no token will carry: their names are reserved', droppedClaims],
  ] as const;
  return describeRun(report, sections, describeVerdict(verdict));
}

function describeChange({ path, before, after }: Change): string {
  if (before === undefined) return `+ ${path} = ${inJson(after)}`;
  if (after === undefined) return `- ${path} (was ${inJson(before)})`;
  return `~ ${path} = ${inJson(after)} (was ${inJson(before)})`;
}

function describeVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'granted':
      return 'The login goes on';
    case 'redirected':
      return `The browser is sent to ${printable(verdict.url)}`;
    case 'second_factor':
      return `A second factor is demanded (${printable(verdict.provider)})`;
    case 'refused':
      return `The login is refused. The application hears: ${printable(verdict.error)}, ${printable(verdict.description)}`;
  }
}
