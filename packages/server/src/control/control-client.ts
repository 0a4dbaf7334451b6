import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { holderOf } from '../db/embedded/folder-lock.ts';

/** What a command tells its user when it fails; the exit code is 1. */
export class CommandError extends Error {}

/** Asks the running server of this data folder; every command but `start` and `first-run` goes this way. */
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

function notRunning(dataDir: string): CommandError {
  const holder = holderOf(dataDir);
  if (holder)
    return new CommandError(
      `A server runs on ${dataDir}${holder}, but commands can't reach it: it is still starting, or its control.json or the socket named there was deleted. Wait until it says "Ready", else restart it.`,
    );
  return new CommandError(
    `No server is running on ${dataDir}. Start it with "npm start", or name its folder with GATEWRIGHT_DATA_DIR.`,
  );
}

function post(
  socketPath: string,
  token: string,
  verb: string,
  input: Readonly<Record<string, unknown>>,
): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath,
        path: `/${verb}`,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) }));
        incoming.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(input));
  });
}
