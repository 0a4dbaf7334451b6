import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { holderOf } from '../db/embedded/folder-lock.ts';
import { BrokenFrames, decodeFrames } from '../kit/frames.ts';
import { STREAM_FRAMES } from './control-stream.ts';

/** What a command tells its user when it fails; the exit code is 1. */
export class CommandError extends Error {}

/** No server is there, or it has ended: one that is started may answer. */
export class ServerAway extends CommandError {}

/** Asks the running server of this data folder; every command that needs one goes this way. */
export async function callServer(
  dataDir: string,
  verb: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const { socket, token } = await findServer(dataDir);
  const { status, body } = await post(socket, token, verb, input).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED' ? notRunning(dataDir) : cause;
  });
  if (status === 200) return body;
  throw new CommandError(typeof body.message === 'string' ? body.message : `The server answered ${status}.`);
}

/** The same for what comes in pieces: hands each to `onData`, waits for it, and fails where the end is missing. */
export async function streamFromServer(dataDir: string, { verb, input, onData, onProgress, signal }: Streamed) {
  const { socket, token } = await findServer(dataDir);
  const incoming = await open(socket, token, verb, input, signal).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED' ? notRunning(dataDir) : cause;
  });
  if (incoming.statusCode !== 200) {
    const { message } = JSON.parse(Buffer.concat(await incoming.toArray()).toString());
    throw new CommandError(String(message));
  }
  try {
    for await (const { type, content } of decodeFrames(incoming, STREAM_FRAMES)) {
      if (type === 'D') await onData(content);
      else if (type === 'P') onProgress(JSON.parse(content.toString()));
      else if (type === 'E') throw new CommandError(content.toString());
      else return;
    }
  } catch (cause) {
    if (cause instanceof BrokenFrames || isBrokenOff(cause)) throw endedEarly();
    throw cause;
  }
  throw endedEarly();
}

interface Streamed {
  readonly verb: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly onData: (piece: Buffer) => Promise<void>;
  readonly onProgress: (progress: Readonly<Record<string, unknown>>) => void;
  readonly signal: AbortSignal;
}

const endedEarly = () => new ServerAway('The server ended in the middle of it; its log says why.');

const isBrokenOff = (cause: unknown): boolean =>
  cause instanceof Error &&
  'code' in cause &&
  (cause.code === 'ECONNRESET' || cause.code === 'ERR_STREAM_PREMATURE_CLOSE');

async function findServer(dataDir: string): Promise<{ socket: string; token: string }> {
  try {
    const { socket, token } = JSON.parse(await readFile(join(dataDir, 'control.json'), 'utf8'));
    return { socket: String(socket), token: String(token) };
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES') {
      throw new CommandError(`${dataDir} belongs to another user: run this command as the user that runs the server.`);
    }
    throw notRunning(dataDir);
  }
}

function notRunning(dataDir: string): ServerAway {
  const holder = holderOf(dataDir);
  if (holder)
    return new ServerAway(
      `A server runs on ${dataDir}${holder}, but commands can't reach it: it is still starting, or its control.json or the socket named there was deleted. Wait until it says "Ready", else restart it.`,
    );
  return new ServerAway(
    `No server is running on ${dataDir}. Start it with "npm start", or name its folder with GATEWRIGHT_DATA_DIR.`,
  );
}

async function post(
  socketPath: string,
  token: string,
  verb: string,
  input: Readonly<Record<string, unknown>>,
): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  const incoming = await open(socketPath, token, verb, input);
  const text = Buffer.concat(await incoming.toArray()).toString();
  return { status: incoming.statusCode ?? 0, body: JSON.parse(text) };
}

function open(
  socketPath: string,
  token: string,
  verb: string,
  input: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath,
        path: `/${verb}`,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(signal && { signal }),
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(input));
  });
}
