import type { Change } from '../rules/try/list-changes.ts';
import type { Report, Verdict } from '../rules/try/try-rules.ts';
import { printable } from './printable.ts';

/** What `gatewright rules try` prints for people. */
export function describeTrial({
  console,
  warnings,
  failure,
  changes,
  droppedClaims,
  calls,
  verdict,
  tookMs,
}: Report): string {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['Console', console.map(({ level, text, part }) => `${part?.name ?? ''} ${level}: ${text}`)],
    ['Warnings', warnings.map(({ text }) => text)],
    ['Management API', calls.map(({ method, path, body, status }) => `${method} ${path} ${inJson(body)} → ${status}`)],
    ['Changes', changes.map(describeChange)],
    ['Claims that no token will carry: their names are reserved', droppedClaims],
    ['Failure', failure ? [describeFailure(failure)] : []],
  ];
  const told = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => [`${title}:`, ...lines.map(indented)].join('\n'));
  return [...told, `${describeVerdict(verdict)} (${Math.round(tookMs)} ms)`].join('\n\n');
}

function describeChange({ path, before, after }: Change): string {
  if (before === undefined) return `+ ${path} = ${inJson(after)}`;
  if (after === undefined) return `- ${path} (was ${inJson(before)})`;
  return `~ ${path} = ${inJson(after)} (was ${inJson(before)})`;
}

function describeFailure({ kind, part, error }: NonNullable<Report['failure']>): string {
  const where = part ? `${part.name}: ` : '';
  return `${where}${error?.stack ?? (error ? `${error.name}: ${error.message}` : kind)}`;
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

function inJson(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

function indented(line: string): string {
  return `  ${printable(line, '\n').replaceAll('\n', '\n    ')}`;
}
