// Writes docs/log-events.md from src/logs/log-types.ts and src/logs/unreached-types.ts:
//   node packages/server/scripts/render-log-events.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LogType, type LogTypeEntry, logTypes } from '../src/logs/log-types.ts';
import { UNREACHED } from '../src/logs/unreached-types.ts';

export function renderLogEvents(): string {
  const unreached = new Set(Object.values(UNREACHED).flat());
  const all = (Object.entries(logTypes) as [LogType, LogTypeEntry][]).toSorted(([, one], [, other]) =>
    one.code < other.code ? -1 : 1,
  );
  const reached = all.filter(([type]) => !unreached.has(type));
  return `# Log events

Written by packages/server/scripts/render-log-events.ts. Codes, levels (0 to 4) and the groups that a log stream's filter names are those of
Auth0's catalogue; ${reached.length} of its ${all.length} codes are caused by something here, the others stand below with the reason. How to search them: [log.md](log.md).

| code | what happened | outcome | level | group of log streams |
| --- | --- | --- | --- | --- |
${reached.map(([type, { code, outcome, level, streamFilter }]) => `| \`${code}\` | ${wordsOf(type)} | ${outcome} | ${level} | ${streamFilter} |`).join('\n')}

## Not caused by anything yet
Searches, exports and filters take these codes all the same.

${Object.entries(UNREACHED)
  .map(([reason, types]) => `- ${reason}: ${types.map((type) => `\`${logTypes[type].code}\``).join(', ')}`)
  .join('\n')}
`;
}

/** `codeExchangeFailed` → "code exchange failed" */
function wordsOf(type: LogType): string {
  return type.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../../../docs/log-events.md', import.meta.url), renderLogEvents());
}
