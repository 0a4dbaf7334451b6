import { createRequire, isBuiltin } from 'node:module';
import { nodeCrypto } from './stand-ins/crypto.ts';
import { STAND_INS } from './stand-ins/stand-ins.ts';
import { moduleNotFound, requireStored } from './stored-modules.ts';

const nodeRequire = createRequire(import.meta.url);

/** `lodash`, `lodash@4.17.21`, `@scope/name@1.2.3`, each with a path behind it: `lodash@4.17.21/get`. */
const REQUEST = /^((?:@[\w.~-]+\/)?[\w~-][\w.~-]*)(?:@([^/@]+))?(\/.*)?$/;
const LONGEST_REQUEST = 500;

/** `require` of tenant code, for a program's choice of versions. Node's own modules answer to a name without version. */
export function createTenantRequire(chosen: Readonly<Record<string, string>>): (request: string) => unknown {
  return (request) => {
    if (typeof request !== 'string') throw new TypeError('require takes the name of a module.');
    const [, name = '', asked, path = ''] = REQUEST.exec(request.slice(0, LONGEST_REQUEST)) ?? [];
    const version = asked ?? (Object.hasOwn(chosen, name) ? chosen[name] : undefined);
    if (version === undefined && isBuiltin(request)) return requireBuiltin(request);
    if (name === '' || path.split('/').includes('..'))
      throw moduleNotFound(`Cannot find module '${request.slice(0, LONGEST_REQUEST)}': tenant code has no files.`);
    const standIn = path === '' ? STAND_INS.get(name)?.(version) : undefined;
    return standIn ?? requireStored(name, version, path === '/' ? '' : path);
  };
}

function requireBuiltin(name: string): unknown {
  return name.replace(/^node:/, '') === 'crypto' ? nodeCrypto() : nodeRequire(name);
}
