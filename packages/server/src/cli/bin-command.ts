import { once } from 'node:events';
import { styleText } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../control/control-client.ts';
import { type KeptRequest, summaryOf } from '../request-bin/kept-requests.ts';
import { printable } from './printable.ts';

interface Options {
  readonly port: number;
  readonly host: string;
  readonly status?: number;
  readonly failOn?: readonly number[];
  readonly delay: number;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

const FAILURE = 500;
const MOST_PRINTED = 8_000;

/** `gatewright bin` */
export function binCommand(): Command {
  return new Command('bin')
    .description(
      'Take whatever is sent to a local port, print it, and show it on a page: to see what a webhook gets. The newest 200 requests are kept, in memory alone.',
    )
    .option('--port <port>', 'where it listens; 0 takes any free one', numberUpTo(65_535), 9_999)
    .option('--host <address>', 'the address it listens on; others than loopback let everybody in', '127.0.0.1')
    .option('--status <status>', 'answer this status instead of 200', statusOf)
    .option(
      '--fail-on <numbers>',
      'answer --status (500 where it is left out) to these requests alone: 37, or 37,40',
      numbersOf,
    )
    .option('--delay <milliseconds>', 'wait before each answer', numberUpTo(60_000), 0)
    .option('--quiet', 'print a line each, without the body')
    .option('--json', 'print a JSON object each')
    .action(run);
}

async function run({ port, host, status, failOn = [], delay, quiet, json }: Options): Promise<void> {
  const { startRequestBin } = await import('../request-bin/request-bin.ts');
  const bin = await startRequestBin({
    port,
    host,
    status: status ?? (failOn.length > 0 ? FAILURE : 200),
    failOn,
    delayMilliseconds: delay,
    onRequest: (request) => print(json ? JSON.stringify(request) : describe(request, quiet === true)),
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EADDRINUSE')
      throw new CommandError(`The port ${port} is in use: name another one with --port.`);
    throw new CommandError(`It can't listen on ${printable(host)}:${port} (${cause.code ?? cause.message}).`);
  });
  const words = `Send requests to ${bin.origin}/ and see them here, or at ${bin.origin}/_bin. Stop with Ctrl+C.`;
  if (json) process.stderr.write(`${words}\n`);
  else print(words);
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());
  // `| head` has seen enough.
  process.stdout.on('error', () => end.abort());
  if (!end.signal.aborted) await once(end.signal, 'abort');
  await bin.stop();
}

function describe(request: KeptRequest, isShort: boolean): string {
  const { number, at, method, path, status, type, webhookId, bytes } = summaryOf(request);
  const isColoured = process.stdout.isTTY && !process.env.NO_COLOR;
  const paint = (colour: 'green' | 'red' | 'dim', text: string) =>
    isColoured ? styleText(colour, text, { validateStream: false }) : text;
  const facts = [
    paint('dim', at.slice(11, 19)),
    `#${number}`,
    printable(`${method} ${path}`),
    ...(type ? [printable(type)] : []),
    ...(webhookId ? [paint('dim', printable(webhookId))] : []),
    paint(status < 300 ? 'green' : 'red', `→ ${status}`),
  ].join('  ');
  if (isShort || request.body === '') return facts;
  const body = pretty(request.body);
  const cut = request.isCut || body.length > MOST_PRINTED ? `\n  … (${bytes} bytes in all)` : '';
  return `${facts}\n${printable(body.slice(0, MOST_PRINTED), '\n').replace(/^/gm, '  ')}${cut}`;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function numberUpTo(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d{1,6}$/.test(text) || number > most) throw new InvalidArgumentError(`It is no number from 0 to ${most}.`);
    return number;
  };
}

function statusOf(text: string): number {
  if (!/^[2-5]\d\d$/.test(text)) throw new InvalidArgumentError('It is no status from 200 to 599.');
  return Number(text);
}

function numbersOf(text: string): readonly number[] {
  if (!/^[1-9]\d{0,8}(,[1-9]\d{0,8})*$/.test(text))
    throw new InvalidArgumentError('They are numbers from 1 on: 37, or 37,40.');
  return text.split(',').map(Number);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
