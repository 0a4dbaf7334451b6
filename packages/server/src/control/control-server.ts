import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { equalSecrets } from '../kit/digest.ts';
import { DeclaredError } from '../kit/errors.ts';
import { randomSecret } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import { isControlStream, sendStream } from './control-stream.ts';

/** What the commands of `gatewright` ask a running server to do: one function a verb, JSON in and out, or a ControlStream out. */
export type ControlVerbs = Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => Promise<unknown>>>;

const MAX_INPUT_BYTES = 65_536;
const FOLDER_PREFIX = 'gw-';

/**
 * A private socket for the operator of this machine. It lies in a 0700 folder with a short path (a socket's path ends at
 * 107 bytes); `<data>/control.json` (0600) says where, and holds the token that a caller must show.
 */
export async function startControlServer({ dataDir, verbs, log }: { dataDir: string; verbs: ControlVerbs; log: Log }) {
  const file = join(dataDir, 'control.json');
  await removeLeftover(file);
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  const socket = join(folder, 'control');
  const token = randomSecret();
  const explain = (error: unknown) => {
    if (error instanceof DeclaredError) return { status: error.status, error: error.code, message: error.message };
    log.error('a command failed', { error });
    return { status: 500, error: 'internal', message: 'The server failed; its log says why.' };
  };
  const server = createServer((request, response) => {
    answer(request, verbs, token).then(
      (result) => (isControlStream(result) ? sendStream(response, result, explain) : send(response, 200, result ?? {})),
      (error) => {
        const { status, ...body } = explain(error);
        send(response, status, body);
      },
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  await writeFile(`${file}.tmp`, JSON.stringify({ socket, token, pid: process.pid }), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
  return {
    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(file, { force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The folder of a server that was killed; the data folder's lock says that it is gone. */
async function removeLeftover(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const socket = /"socket":"([^"]+)"/.exec(text)?.[1];
  const folder = socket && dirname(socket);
  if (folder?.startsWith(join(tmpdir(), FOLDER_PREFIX))) await rm(folder, { recursive: true, force: true });
}

async function answer(request: IncomingMessage, verbs: ControlVerbs, token: string): Promise<unknown> {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!equalSecrets(given, token))
    throw new DeclaredError({ status: 401, code: 'unauthorized', message: 'Wrong token' }, 'Wrong token', {});
  const name = (request.url ?? '').slice(1);
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!verb)
    throw new DeclaredError(
      { status: 404, code: 'unknown_verb', message: '' },
      `This server does not know '${name}': is it an older version?`,
      {},
    );
  return verb(await readInput(request));
}

async function readInput(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_INPUT_BYTES) throw new Error('The input of a command is too large.');
  }
  const value: unknown = text === '' ? {} : JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
