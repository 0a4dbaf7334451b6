/** The server's own words to its operator (not the audit log): one line each, people's text or JSON. */
export interface Log {
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

type Level = 'info' | 'warn' | 'error';

export function createLog(format: 'pretty' | 'json', write: (line: string) => void = writeToStderr): Log {
  function emit(level: Level, message: string, facts: Readonly<Record<string, unknown>> = {}): void {
    const plain = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, toPlain(value)]));
    if (format === 'json') write(JSON.stringify({ time: new Date().toISOString(), level, message, ...plain }));
    else write(`${level === 'info' ? '' : `${level}: `}${message}${inWords(plain)}`);
  }
  return {
    info: (message, facts) => emit('info', message, facts),
    warn: (message, facts) => emit('warn', message, facts),
    error: (message, facts) => emit('error', message, facts),
  };
}

function writeToStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

function toPlain(value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}

function inWords(facts: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}
