import { describe, expect, it } from 'vitest';
import { findSyntaxFault } from './find-fault.ts';
import { faultAsStack, faultInLine } from './syntax-fault.ts';

describe('a mistake in code', () => {
  it.each([
    ['a rule', 'expression', 'function (u, c, cb) {\n  cb(null u);\n}', '2:6', 'missing ) after argument list'],
    [
      'a rule in one line',
      'expression',
      'function (u, c, cb) { cb(null u); }',
      '1:26',
      'missing ) after argument list',
    ],
    [
      'a rule that stops too early',
      'expression',
      'function (u, c, cb) {\n  cb(null);\n',
      '2:12',
      'Unexpected end of input',
    ],
    ['nothing', 'expression', '', '1:1', 'Unexpected end of input'],
    ['a program', 'expression', 'var a = 1;', '1:1', "Unexpected token 'var'"],
    ['something behind a rule', 'expression', 'function a() {}\nfoo();', '2:1', "Unexpected identifier 'foo'"],
    ['tabs', 'expression', 'function (u) {\n\t\tlet = ;\n}', '2:9', "Unexpected token ';'"],
    ['lines of Windows', 'expression', 'function (u) {\r\n\r\n  u.;\r\n}', '3:5', "Unexpected token ';'"],
    ['an action', 'module', 'exports.x = async () => {\n  foo(;\n};', '2:7', "Unexpected token ';'"],
    ['an action that stops too early', 'module', 'exports.x = () => {\n  foo();', '2:9', 'Unexpected end of input'],
    ['a module of ECMAScript', 'module', 'import x from "y";', '1:1', 'Cannot use import statement outside a module'],
    ['a brace too many', 'module', 'exports.x = () => {};\n}', '2:1', "Unexpected token '}'"],
  ] as const)('is found where it is: %s', (_what, form, code, at, message) => {
    const fault = findSyntaxFault(code, form);
    expect({ at: `${fault?.place.line}:${fault?.place.column}`, message: fault?.message }).toEqual({ at, message });
  });

  it.each([
    [
      'a rule with a comment before and a semicolon behind',
      'expression',
      '// one\nfunction (u, c, cb) { return cb(); };\n',
    ],
    ['an arrow function', 'expression', 'async (u, c, cb) => { await 1; cb(); }'],
    ['an action', 'module', "const a = require('a');\nexports.onExecutePostLogin = async () => { await a?.b; };"],
    ['a return of a module', 'module', 'if (1) return;\nexports.x = 1;'],
    ['a module that knows its secrets', 'library', 'const { KEY } = actions.secrets; module.exports = KEY;'],
    // A container may be able to read it: it tells.
    ['what is nested too deeply for this process', 'module', `${'('.repeat(20_000)}1${')'.repeat(20_000)}`],
  ] as const)('is not seen in what can be compiled: %s', (_what, form, code) => {
    expect(findSyntaxFault(code, form)).toBeUndefined();
  });

  it('runs nothing of the code', () => {
    expect(findSyntaxFault('(() => { globalThis.ran = true; })()', 'module')).toBeUndefined();
    expect(findSyntaxFault('(() => { globalThis.ran = true; })() u', 'expression')).toBeDefined();
    expect(globalThis).not.toHaveProperty('ran');
  });

  it('is shown with its line and a mark, of a long line with what is around it', () => {
    const fault = findSyntaxFault('function (u) {\n\t  cb(null u);\n}', 'expression');
    expect(fault && faultAsStack('roles', fault)).toBe(
      ['SyntaxError: missing ) after argument list', '    at roles:2:7', '      cb(null u);', '         ^'].join('\n'),
    );
    const long = findSyntaxFault(`var a = "${'x'.repeat(5_000)}"; foo(1 2); var b = "${'y'.repeat(5_000)}";`, 'module');
    expect(long?.place).toMatchObject({ line: 1, column: 5_019, mark: 60 });
    expect(long?.place.source).toHaveLength(120);
    expect(long?.place.source.slice(long.place.mark)).toMatch(/^2\); var b/);
    expect(long && faultInLine(long)).toMatch(/^SyntaxError: missing \) .* \(line 1, column 5019\): x+"; foo\(1 2\)/);
  });
});
