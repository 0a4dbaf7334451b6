import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';

/** A service of somebody else's: it knows where people work, and what their company has paid for. */
export async function startPartnerApi(key: string, signingKey: string) {
  const asked: string[] = [];
  const server = createServer(async ({ url = '/', headers }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://partner.invalid');
    const token = headers.authorization?.replace('Bearer ', '') ?? '';
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    asked.push(pathname);
    if (pathname === '/people')
      return token === key ? answer(200, { person: { employment: { name: 'Acme' } } }) : answer(403, {});
    const { payload } = await jwtVerify(token, Buffer.from(signingKey), { algorithms: ['HS256'], issuer: 'dev' });
    return answer(200, { plan: `gold for ${payload.sub}, ${searchParams.get('email')}` });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    target,
    url: `http://${target}`,
    asked,
    stop(): void {
      server.close().closeAllConnections();
    },
  };
}
