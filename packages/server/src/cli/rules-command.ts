import { Command } from 'commander';
import type { Finding } from '../rules/lint/finding.ts';
import { printable } from './printable.ts';
import { readRule } from './read-rule.ts';
import { rulesTryCommand } from './rules-try-command.ts';

type FileFinding = Finding & { readonly file: string };

/** `gatewright rules lint | try` */
export function rulesCommand(): Command {
  const rules = new Command('rules').description('Rules, the functions of a tenant that run at each login.');
  rules
    .command('lint <file...>')
    .description(
      'Read rules without running them, and point at what often goes wrong: a second factor that prompt=none passes by, the whole ' +
        'user or context in the hands of a third party, Management API calls at each login, a callback that is not called once. ' +
        'Ends with 1 where it finds something. Needs no server.',
    )
    .option('--json', 'print JSON')
    .action(async (files: string[], { json }: { json?: boolean }) => {
      // The parser is loaded by this command alone.
      const { lintRule } = await import('../rules/lint/lint-rule.ts');
      const findings: FileFinding[] = [];
      for (const file of files) {
        const script = await readRule(file);
        findings.push(...lintRule(script).map((finding) => ({ file, ...finding })));
      }
      process.stdout.write(`${json ? JSON.stringify(findings, null, 2) : describe(findings, files.length)}\n`);
      if (findings.length > 0) process.exitCode = 1;
    });
  rules.addCommand(rulesTryCommand());
  return rules;
}

function describe(findings: readonly FileFinding[], files: number): string {
  const lines = findings.map(
    ({ file, line, column, finding, message, source }) =>
      `${file}:${line}:${column}  ${finding}  ${message}${source ? `\n    ${printable(source)}` : ''}`,
  );
  const rules = files === 1 ? '1 rule' : `${files} rules`;
  return [...lines, `${rules}, ${findings.length === 1 ? '1 finding' : `${findings.length} findings`}`].join('\n');
}
