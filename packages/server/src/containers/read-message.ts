import { isObject, numberOf, textOf } from '../kit/json-values.ts';
import type { PartName, ThrownError, Warning } from './job.ts';
import type { FromContainer } from './protocol.ts';

const WARNINGS: readonly string[] = [
  'callback_twice',
  'threw_after_callback',
  'uncaught',
  'replaced_object',
  'called_late',
] satisfies Warning['kind'][];
/** Base64 of 64 kB, and some. */
const LONGEST_TEXT = 100_000;

/** A line of a container, which tenant code may have written itself: what is no message of the protocol is undefined. */
export function readMessage(line: string): FromContainer | undefined {
  const value = parse(line);
  if (!isObject(value)) return undefined;
  const { type } = value;
  const id = short(value.id);
  if (type === 'ready') return { type };
  if (type === 'pong') {
    const beat = short(value.beat);
    return beat === undefined ? undefined : { type, beat };
  }
  if (id === undefined) return undefined;
  const part = partOf(value.part);
  if (type === 'result') return { type, id, result: value.result };
  if (type === 'oversized' || type === 'opened' || type === 'end') return { type, id };
  if (type === 'closed') return { type, id };
  if (type === 'at') return part && { type, id, part };
  if (type === 'failed') return { type, id, error: thrownOf(value.error), ...(part && { part }) };
  const text = bounded(value.text);
  if (type === 'console') {
    const level = short(value.level);
    return level === undefined || text === undefined ? undefined : { type, id, level, text };
  }
  if (type === 'warning') {
    const { kind } = value;
    if (text === undefined || !isWarning(kind)) return undefined;
    return { type, id, kind, text, ...(part && { part }) };
  }
  if (type === 'open') {
    const [run, target] = [short(value.run), short(value.target)];
    return run === undefined || target === undefined ? undefined : { type, id, run, target };
  }
  if (type === 'data') {
    const bytes = bounded(value.bytes);
    return bytes === undefined ? undefined : { type, id, bytes };
  }
  if (type === 'ack') {
    const bytes = numberOf(value.bytes);
    return bytes === undefined ? undefined : { type, id, bytes };
  }
  return undefined;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function short(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && text.length <= 300 ? text : undefined;
}

function bounded(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && text.length <= LONGEST_TEXT ? text : undefined;
}

function partOf(value: unknown): PartName | undefined {
  if (!isObject(value)) return undefined;
  const [id, name] = [short(value.id), short(value.name)];
  return id === undefined || name === undefined ? undefined : { id, name };
}

function isWarning(value: unknown): value is Warning['kind'] {
  return typeof value === 'string' && WARNINGS.includes(value);
}

const LONGEST_ERROR_TEXT = 4_000;

function thrownOf(value: unknown): ThrownError {
  const error = isObject(value) ? value : {};
  const member = (name: string) => textOf(error[name])?.slice(0, LONGEST_ERROR_TEXT);
  const [code, description, userId, stack] = ['code', 'description', 'userId', 'stack'].map(member);
  const statusCode = numberOf(error.statusCode);
  return {
    name: member('name') ?? 'Error',
    message: member('message') ?? '',
    ...(code !== undefined && { code }),
    ...(description !== undefined && { description }),
    ...(userId !== undefined && { userId }),
    ...(stack !== undefined && { stack }),
    ...(statusCode !== undefined && { statusCode }),
  };
}
