import { requireStored } from '../stored-modules.ts';

interface JsonWebToken {
  sign(...given: unknown[]): unknown;
}

let made: object | undefined;

/** The global `jwt`: jsonwebtoken 7 that still takes `expiresInMinutes`. */
export function jsonWebToken(): object {
  if (made) return made;
  const module = requireStored('jsonwebtoken', '7.4.1') as JsonWebToken;
  made = { ...module, sign: (...given: unknown[]) => module.sign(...given.map(inSeconds)) };
  return made;
}

/** Only options have this name: a payload's claims come first, and are left alone. */
function inSeconds(given: unknown, position: number): unknown {
  if (position < 2 || typeof given !== 'object' || given === null || !('expiresInMinutes' in given)) return given;
  const { expiresInMinutes, ...options } = given;
  return { expiresIn: `${expiresInMinutes}m`, ...options };
}
