import { createServer, type IncomingMessage } from 'node:http';
import { createTestClient, createTestUser, decodeJwt, type LogRecord, type TestClient } from './protocol.ts';
import { CALLBACK, type Visitor } from './visitor.ts';
import { startWorld } from './world.ts';

interface Received {
  readonly type: string | undefined;
  readonly token: string;
}

export type ListeningApplication = Awaited<ReturnType<typeof startListeningApplication>>;

/** A world whose logouts are delivered when a test says so, and an application that is told of them. */
export async function startListeningApplication() {
  const world = await startWorld();
  await world.app.logouts.stop();
  const received: Received[] = [];
  let answer: (request: IncomingMessage) => number = () => 200;
  const application = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const token = new URLSearchParams(body).get('logout_token') ?? '';
      received.push({ type: request.headers['content-type'], token });
      response.writeHead(answer(request)).end();
    });
  });
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
  const address = application.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/backchannel`;
  let serial = 0;

  return {
    world,
    url,
    received,
    /** The status of its answers from now on. */
    answers(status: number): void {
      answer = () => status;
    },
    /** Forgets what it received, and is content with all that comes. */
    reset(): void {
      received.length = 0;
      answer = () => 200;
    },
    deliver: () => world.app.logouts.deliver(),
    listening: (initiators?: object, more: object = {}): Promise<TestClient> =>
      createTestClient(world, {
        name: 'Listens',
        app_type: 'regular_web',
        callbacks: [CALLBACK],
        oidc_logout: {
          backchannel_logout_urls: [url],
          ...(initiators && { backchannel_logout_initiators: initiators }),
          ...more,
        },
      }),
    async logIn(client: TestClient, visitor: Visitor = world.visitor()) {
      const user = await createTestUser(world, `listener-${++serial}`);
      const login = { username: user.email, password: user.password, parameters: { client_id: client.client_id } };
      const { code, verifier } = await visitor.logIn(login);
      const tokens = await world.token({
        grant_type: 'authorization_code',
        ...client,
        code,
        code_verifier: verifier,
        redirect_uri: CALLBACK,
      });
      return { user, visitor, sid: String(decodeJwt(tokens.json().id_token).claims.sid) };
    },
    async stop(): Promise<void> {
      application.closeAllConnections();
      application.close();
      await world.stop();
    },
  };
}

/** Asks to be told of every end of a session. */
export const ALL = { mode: 'all' };
export const isOurs = ({ type }: LogRecord): boolean => type.startsWith('oidc_backchannel_logout');
