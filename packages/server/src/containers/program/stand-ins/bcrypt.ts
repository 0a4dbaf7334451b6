import { requireStored } from '../stored-modules.ts';

type Callback = (error: unknown, result?: unknown) => void;

interface Bcryptjs {
  genSalt(rounds: number): Promise<string>;
  genSaltSync(rounds: number): string;
}

let made: unknown;

/** The native module's interface on bcryptjs: the same hashes, with callbacks and with promises. */
export function bcrypt(): unknown {
  made ??= onBcryptjs();
  return made;
}

const ROUNDS = 10;

function onBcryptjs(): unknown {
  const { genSalt, genSaltSync, ...rest } = requireStored('bcryptjs') as Bcryptjs;
  return {
    ...rest,
    // The native one has the letter of the version for its second argument.
    genSaltSync: (rounds?: unknown) => genSaltSync(roundsOf(rounds)),
    genSalt(...given: unknown[]) {
      const salt = genSalt(roundsOf(given[0]));
      const callback = given.find((one): one is Callback => typeof one === 'function');
      if (!callback) return salt;
      salt.then(
        (result) => callback(null, result),
        (cause) => callback(cause),
      );
    },
  };
}

function roundsOf(given: unknown): number {
  return typeof given === 'number' ? given : ROUNDS;
}
