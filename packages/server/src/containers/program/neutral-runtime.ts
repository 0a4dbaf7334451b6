import os from 'node:os';

/**
 * Libraries ask for these at load time, to tell a server who connects; a container has no permission to answer, and they
 * would fail. None of it is true, and nobody needs to know it.
 */
export function neutralizeRuntime(): void {
  // Old modules warn about themselves, on the console of an author who can't change them.
  Reflect.set(process, 'noDeprecation', true);
  Object.assign(os, {
    release: () => '0.0.0',
    version: () => '',
    loadavg: () => [0, 0, 0],
    uptime: () => Math.round(process.uptime()),
    totalmem: () => MEMORY,
    freemem: () => MEMORY / 2,
    networkInterfaces: () => ({}),
    userInfo: () => ({ uid: -1, gid: -1, username: 'container', homedir: '/', shell: null }),
  });
}

const MEMORY = 512 * 1024 * 1024;
