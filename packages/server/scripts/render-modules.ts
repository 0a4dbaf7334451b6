import { MODULE_STORE } from '../src/containers/module-folders.ts';
import { readModuleTable } from '../src/containers/program/module-table.ts';

/** docs/modules.md: what tenant code may require. */
export function renderModules(): string {
  const { modules } = readModuleTable({ curated: MODULE_STORE });
  const names = [...new Set(modules.map(({ name }) => name))];
  const rows = names.map((name) => {
    const [first, ...others] = modules.filter((module) => module.name === name).map(({ version }) => version);
    return `| ${name} | ${first} | ${others.join(', ')} |`;
  });
  return `${HEAD}\n${rows.join('\n')}\n\n${TAIL}`;
}

const HEAD = `<!-- Written by npm run generate:modules. -->
# Modules that rules, actions and database scripts may require

\`require('lodash')\` gets the default version, \`require('lodash@2.4.1')\` the one it names, \`require('lodash/get')\` a part of it. Node's
own modules (\`crypto\`, \`url\`, \`node:https\` …) come first; \`require('url@0.10.3')\` gets the one of npm. An action gets the versions
that it declares as its dependencies. Nothing is installed when code runs: a module that is not here is an error that names the
versions at hand. The operator adds one:

\`\`\`sh
gatewright modules add dayjs@1.11.13             # require('dayjs@1.11.13'), and require('dayjs'): it is the only one
gatewright modules add lodash@4.17.15 --default  # require('lodash') gets it from now on
gatewright modules                               # what is there
gatewright modules remove dayjs@1.11.13
\`\`\`

They go to the folder \`modules\` of the data folder, so each machine needs the command, and a backup does not hold them.

| module | default | other versions |
| --- | --- | --- |`;

const TAIL = `## Stand-ins
| module | what it is here |
| --- | --- |
| bcrypt, every version | bcryptjs under bcrypt's interface: the same hashes, callbacks and promises; containers load no native code |
| pg, without a version | pg 8 with the \`connect(address, callback)\` of pg 6, which the documented scripts call; \`require('pg@8.23.1')\` is pg as published |
| @auth0/rule-utilities 0.2.0, 0.1.0 | the same interface in our own words; the package was never on npm |

## Globals
Rules, hooks and database scripts find these without \`require\`, loaded at their first use; actions don't.

| global | module |
| --- | --- |
| \`_\` | lodash 2.4.1 |
| \`async\` | async 0.9.2 |
| \`request\` | request 2.81.0 |
| \`jwt\` | jsonwebtoken 7.4.1 that still takes \`expiresInMinutes\` |
| \`crypto\` | Node's; keys and vectors as strings are latin1; createCipher and createDecipher |
| \`bcrypt\`, \`pg\` | the stand-ins above |
| \`pbkdf2\` | generateSalt, secureHash, verify; reads what easy-pbkdf2 wrote |
| \`uuid\` | uuid 2.0.3 |
| \`q\`, \`xpath\`, \`xtend\` | q 1.5.1, xpath 0.0.34, xtend 4.0.2 |
| \`querystring\` | Node's |
| \`xml2js\`, \`xmldom\` | xml2js 0.4.23, xmldom 0.1.31 |
| \`ip(address).in_range(ranges)\` | on ipaddr.js 1.9.1 |
| \`mongo(url, callback)\`, \`ObjectID\` | mongodb 2.2.36 |
| \`mysql(options)\`, \`mysql_pool(options)\` | mysql 2.18.1 |
| \`postgres(address, callback)\` | the stand-in pg |
| \`sqlserver.connect(options)\`, \`.Request\`, \`.Types\` | tedious 4.2.0 |
| UnauthorizedError, ValidationError, WrongUsernameOrPasswordError, AuthorizationError, ApplicationError | the error classes |
| \`configuration\` | of this execution alone |
| \`auth0\` | domain, baseUrl, accessToken, users.get, getAll, update, updateUserMetadata, updateAppMetadata |
| \`global\`, \`GLOBAL\`, \`root\` | the container's global object |

Auth0, azure_storage, couchbase, cql, Knex and Pubnub are not there: using one is an error that says what to use.

## What is left out
- Not on npm in the version that public templates ask for: @incognia/api@1.1.1, @onfido/api@1.5.1, easy-pbkdf2 (published without a licence).
- For its size: aws-sdk, googleapis, firebase-admin, stripe, mssql and tedious in versions that bring Azure's SDK along.
- Native code: couchbase, oracledb, canvas, sharp.
- Several of these versions are old and have known holes; rules that name them need them. What they can reach is the container's:
  [decision 27](decisions/0027-module-store.md).
`;
