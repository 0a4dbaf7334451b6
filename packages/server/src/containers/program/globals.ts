import { auth0Object } from './auth0-object.ts';
import { currentRun } from './current-run.ts';
import { ERRORS } from './errors.ts';
import { HOOK_ERRORS } from './hook-errors.ts';
import { ip } from './stand-ins/address-ranges.ts';
import { bcrypt } from './stand-ins/bcrypt.ts';
import { historicCrypto } from './stand-ins/crypto.ts';
import { mongo, mysql, mysqlPool, postgres, sqlserver } from './stand-ins/database-clients.ts';
import { jsonWebToken } from './stand-ins/json-web-token.ts';
import { pbkdf2 } from './stand-ins/pbkdf2.ts';
import { pg } from './stand-ins/pg.ts';
import { requireStored } from './stored-modules.ts';

/**
 * What rules, hooks and database scripts find without require. A module is loaded at its first use and kept, in the
 * version that it had when it became a global.
 */
const MODULES: Readonly<Record<string, () => unknown>> = {
  _: () => requireStored('lodash', '2.4.1'),
  async: () => requireStored('async', '0.9.2'),
  bcrypt,
  crypto: historicCrypto,
  ip: () => ip,
  jwt: jsonWebToken,
  mongo,
  mysql,
  mysql_pool: mysqlPool,
  ObjectID: () => Reflect.get(mongo(), 'ObjectID'),
  pbkdf2: () => pbkdf2,
  pg,
  postgres,
  q: () => requireStored('q'),
  querystring: () => process.getBuiltinModule('querystring'),
  request: () => requireStored('request', '2.81.0'),
  sqlserver,
  uuid: () => requireStored('uuid', '2.0.3'),
  xml2js: () => requireStored('xml2js', '0.4.23'),
  xmldom: () => requireStored('xmldom', '0.1.31'),
  xpath: () => requireStored('xpath'),
  xtend: () => requireStored('xtend'),
  Auth0: () => absent('Auth0', "require('auth0')"),
  azure_storage: () => absent('azure_storage', 'an HTTP request'),
  couchbase: () => absent('couchbase', 'an HTTP request'),
  cql: () => absent('cql', "require('cassandra-driver'), once the operator has added it"),
  Knex: () => absent('Knex', "require('knex'), once the operator has added it"),
  Pubnub: () => absent('Pubnub', "require('pubnub'), once the operator has added it"),
};

/** Of the job that runs; its own code has them as parameters (compile.ts), whatever calls it. */
const OF_A_JOB: Readonly<Record<string, () => unknown>> = {
  configuration: () => currentRun()?.input.configuration ?? {},
  auth0: () => auth0Object(currentRun()),
};

let areInstalled = false;

export function installGlobals(): void {
  if (areInstalled) return;
  areInstalled = true;
  for (const [name, load] of Object.entries(MODULES)) define(name, once(load));
  for (const [name, error] of Object.entries({ ...ERRORS, ...HOOK_ERRORS })) define(name, () => error);
  for (const [name, read] of Object.entries(OF_A_JOB)) define(name, read);
  define('GLOBAL', () => globalThis);
  define('root', () => globalThis);
}

/** An assignment wins: `request = require('request')` in a rule made a global of it, and still does. */
function define(name: string, read: () => unknown): void {
  Object.defineProperty(globalThis, name, {
    configurable: true,
    enumerable: false,
    get: read,
    set: (value: unknown) =>
      Object.defineProperty(globalThis, name, { configurable: true, enumerable: true, writable: true, value }),
  });
}

function once(load: () => unknown): () => unknown {
  let loaded: { value: unknown } | undefined;
  return () => {
    loaded ??= { value: load() };
    return loaded.value;
  };
}

/** Its name may be looked at; whatever is done with it fails with a message that says so. */
function absent(name: string, instead: string): unknown {
  const refuse = () => {
    throw new Error(`The global ${name} is not available here. Use ${instead}.`);
  };
  return new Proxy(function absentModule() {}, {
    apply: refuse,
    construct: refuse,
    get: (_target, member) => (typeof member === 'symbol' || member === 'then' ? undefined : refuse()),
    set: refuse,
  });
}
