import { readFile } from 'node:fs/promises';
import { CommandError } from '../control/control-client.ts';

const LONGEST_FILE = 1_000_000;

export async function readRule(file: string): Promise<string> {
  const script = await readFile(file, 'utf8').catch((cause) => {
    throw new CommandError(`${file} can't be read: ${cause.code ?? cause.message}`);
  });
  if (script.length > LONGEST_FILE)
    throw new CommandError(`${file} is too long for a rule: ${script.length} characters`);
  return script;
}
