import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describeWhere } from '../describe-where.ts';

const PROGRAM = '/usr/sbin/nginx';
const EXAMPLE = fileURLToPath(new URL('../../../../examples/nginx/gatewright.conf', import.meta.url));

export interface Nginx {
  readonly port: number;
  /** Sends bytes to its TLS port and gives back all that comes. */
  send(bytes: string | Buffer, waitMilliseconds?: number): Promise<string>;
  stop(): Promise<void>;
}

/** `describe` for tests with nginx. Without it the run says what it left out, and with CI=true it fails. */
export function describeBehindNginx(title: string, define: () => void): void {
  const missing = existsSync(PROGRAM) ? undefined : `there is no ${PROGRAM} (apt-get install nginx)`;
  describeWhere(missing, title, define);
}

/** nginx with the configuration of examples/nginx, on free ports, in front of a server. */
export async function startNginx(upstreamPort: number, ports: readonly [number, number]): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'gatewright-nginx-'));
  const [http, https] = ports;
  const certificate = join(folder, 'cert.pem');
  const key = join(folder, 'key.pem');
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=login.example.com'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const site = (await readFile(EXAMPLE, 'utf8'))
    .replace('server 127.0.0.1:3000', `server 127.0.0.1:${upstreamPort}`)
    .replaceAll(/listen 443/g, `listen 127.0.0.1:${https}`)
    .replaceAll(/listen 80/g, `listen 127.0.0.1:${http}`)
    .replaceAll(/\/etc\/nginx\/certificates\/login\.example\.com\.pem/g, certificate)
    .replaceAll(/\/etc\/nginx\/certificates\/login\.example\.com\.key/g, key);
  const own = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  await mkdir(join(folder, 'logs'));
  await writeFile(join(folder, 'site.conf'), site);
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/logs/error.log;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 512; }
http { access_log off; ${own.join(' ')} include ${folder}/site.conf; }
`,
  );
  const child: ChildProcess = spawn(PROGRAM, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const killWithUs = () => child.kill('SIGTERM');
  process.once('exit', killWithUs);
  for (let attempt = 0; !(await answers(https)); attempt++) {
    if (attempt > 200 || child.exitCode !== null)
      throw new Error(
        `nginx does not start: ${await readFile(join(folder, 'logs/error.log'), 'utf8').catch(() => '')}`,
      );
    await sleep(25);
  }
  return {
    port: https,
    send: (bytes, waitMilliseconds = 3_000) => exchange(https, bytes, waitMilliseconds),
    async stop() {
      process.off('exit', killWithUs);
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function exchange(port: number, bytes: string | Buffer, waitMilliseconds: number): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'login.example.com', rejectUnauthorized: false });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  socket.write(bytes);
  const timer = setTimeout(() => socket.destroy(), waitMilliseconds);
  await once(socket, 'close');
  clearTimeout(timer);
  return text;
}
