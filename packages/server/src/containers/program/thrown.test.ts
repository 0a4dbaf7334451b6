import { describe, expect, it } from 'vitest';
import { noteAsked } from './asked-targets.ts';
import { describeThrown } from './thrown.ts';

describe('what the runtime refuses to code', () => {
  it('names the command that opens an address, also where the code wraps the words in its own', () => {
    const words = 'Requires net access to "10.0.0.5:5432", run again with the --allow-net flag';
    const { message, stack } = describeThrown(new Error(`The directory does not answer: ${words}`));
    expect(message).toBe(
      'The directory does not answer: Requires net access to "10.0.0.5:5432". ' +
        'The operator opens it with: gatewright egress allow <tenant> 10.0.0.5:5432 (and --intranet where it is private)',
    );
    expect(stack).toContain('gatewright egress allow <tenant> 10.0.0.5:5432');
  });

  it('names the target as the code spells it, where the refusal knows its address alone', () => {
    noteAsked('DB.intranet', 5433);
    const words = 'Requires net access to "10.0.0.5:5433", run again with the --allow-net flag';
    expect(describeThrown(new Error(words)).message).toContain('egress allow <tenant> db.intranet:5433 (');
    noteAsked('fd12::5', 5434);
    expect(describeThrown(new Error(words.replace('10.0.0.5:5433', '[fd12::5]:5434'))).message).toContain(
      'egress allow <tenant> [fd12::5]:5434 (',
    );
  });

  it('speaks of no flag that nobody can give', () => {
    const { message } = describeThrown(
      new Error('Requires read access to "/etc/passwd", run again with the --allow-read flag'),
    );
    expect(message).toBe('Requires read access to "/etc/passwd", which code of a tenant does not have');
  });
});
