import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { isHostAndPort } from '../containers/egress.ts';
import { CommandError } from '../control/control-client.ts';
import { isObject, type Json } from '../kit/json-values.ts';

/** JSON as it stands there, or the name of a file of it. */
export async function readObject(option: string, given: string): Promise<Json> {
  const text = /^\s*[{[]/.test(given)
    ? given
    : await readFile(given, 'utf8').catch((cause) => {
        throw new CommandError(`${option}: ${given} can't be read: ${cause.code ?? cause.message}`);
      });
  const value = parse(option, text);
  if (!isObject(value)) throw new CommandError(`${option} is no JSON object.`);
  return value;
}

function parse(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandError(`${option} is no JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
}

export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 20)) throw new InvalidArgumentError('It is more than 0 and at most 20.');
  return seconds;
}

export const ALLOW = [
  '--allow <host:port>',
  'a private target that it may reach, as the code names it; repeatable',
] as const;

export function targetsOf(text: string, before: readonly string[]): readonly string[] {
  const target = text.toLowerCase();
  if (!isHostAndPort(target))
    throw new InvalidArgumentError('It is a host and a port: localhost:5432, [fd12::5]:5432.');
  return [...before, target];
}
