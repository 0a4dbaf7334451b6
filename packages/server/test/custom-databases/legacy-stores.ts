import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { hash } from 'bcrypt';
import pg from 'pg';
import { createTestDatabase } from '../test-database.ts';

/** A script of examples/database-scripts, and of all its neighbours. */
export function template(folder: string, ...names: string[]): Record<string, string> {
  const read = (name: string) =>
    readFileSync(new URL(`../../../../examples/database-scripts/${folder}/${name}.js`, import.meta.url), 'utf8');
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** A PostgreSQL of somebody else's, with people in a table of their own, reached over TCP. */
export async function startPeopleDatabase() {
  const database = await createTestDatabase({ migrated: false });
  await database.pool.query(`create table users (id bigint generated always as identity primary key, email text unique,
    nickname text, password_hash text, email_verified boolean)`);
  // The test run's PostgreSQL may listen on a socket in the file system alone.
  const { host, port, user, password, database: name } = new pg.Client({ connectionString: database.url });
  const open = new Set<Socket>();
  const relay = createServer((socket) => {
    const inside = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const one of [socket, inside]) {
      open.add(one);
      one.on('error', () => undefined).on('close', () => open.delete(one));
    }
    socket.pipe(inside).pipe(socket);
  });
  const target = await listening(relay);
  return {
    target,
    url: `postgres://${user}:${encodeURIComponent(password ?? '')}@${target}/${name}`,
    async add(email: string, secret: string): Promise<string> {
      const { rows } = await database.pool.query(
        'insert into users (email, nickname, password_hash, email_verified) values ($1, $2, $3, true) returning id',
        [email, email.slice(0, email.indexOf('@')), await hash(secret, 4)],
      );
      return String(rows[0].id);
    },
    async rows() {
      return (await database.pool.query('select email, email_verified from users order by id')).rows;
    },
    async stop() {
      for (const socket of open) socket.destroy();
      relay.close();
      await database.drop();
    },
  };
}

/** An API of somebody else's that knows one user. */
export async function startPeopleApi(key: string, known: { readonly email: string; readonly password: string }) {
  const calls: string[] = [];
  const user = { user_id: 42, email: known.email, nickname: 'mo', email_verified: true };
  const server = createHttpServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://api.invalid');
    const body = (await request.setEncoding('utf8').toArray()).join('');
    calls.push(pathname);
    const answer = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.headers.authorization !== `Bearer ${key}`) return answer(403, {});
    if (pathname === '/users') return searchParams.get('email') === known.email ? answer(200, user) : answer(404, {});
    const { email, password } = JSON.parse(body);
    if (email !== known.email) return answer(401, {});
    return password === known.password ? answer(200, user) : answer(401, { user_id: 42 });
  });
  const target = await listening(server);
  return { target, url: `http://${target}`, calls, stop: () => void server.close() };
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
