import bcryptLibrary from 'bcrypt';
import type { HashFormat } from './format.ts';

const ENCODED = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** Twelve takes some 250 ms; each step more doubles it, 31 would take a year. */
const MAX_COST = 12;
const MAX_BYTES = 72;

export const bcrypt: HashFormat = {
  name: 'bcrypt',

  read(stored) {
    const [, cost] = ENCODED.exec(stored) ?? [];
    if (cost === undefined) return undefined;
    return { affordable: Number(cost) >= 4 && Number(cost) <= MAX_COST, outdated: true };
  },

  verify(password, stored) {
    // bcrypt reads 72 bytes, and whoever made the hash cut there. We cut before the library does, since its emulation of
    // $2a$ counts lengths beyond 255 in one byte. The new hash, made right after this login, covers the whole password.
    const bytes = Buffer.from(password).subarray(0, MAX_BYTES);
    // $2y$ is PHP's name for what OpenBSD calls $2b$; the library refuses it.
    return bcryptLibrary.compareSync(bytes, stored.replace(/^\$2y\$/, '$2b$'));
  },
};
