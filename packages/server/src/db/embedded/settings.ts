import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from './identity.ts';

/** Written at each start, so that a new version's settings reach an old cluster. What an operator wants differently stands in local.conf. */
export async function writeSettings(cluster: string, socketFolder: string, identity: Identity): Promise<void> {
  const local = join(cluster, 'local.conf');
  if (!existsSync(local))
    await replace(local, '# Settings of yours: they win over those of postgresql.conf.\n', identity);
  await replace(join(cluster, 'pg_hba.conf'), 'local all all scram-sha-256\n', identity);
  await replace(join(cluster, 'postgresql.conf'), settings(socketFolder), identity);
}

function settings(socketFolder: string): string {
  return `# Written by Gatewright at each start; put your own settings into local.conf beside this file.
listen_addresses = ''
port = 5432
unix_socket_directories = '${socketFolder.replaceAll("'", "''")}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 60

# Nothing acknowledged is lost.
fsync = on
full_page_writes = on
synchronous_commit = on

# Small: few processes, little memory.
shared_buffers = 32MB
io_method = sync
max_worker_processes = 2
max_parallel_workers_per_gather = 0
max_logical_replication_workers = 0
max_wal_senders = 0
wal_level = minimal
autovacuum_worker_slots = 2
autovacuum_max_workers = 2
min_wal_size = 32MB
max_wal_size = 512MB
jit = off

# A failed statement is told to the server, which knows what it means; here it would fill the disk and repeat people's data.
log_min_messages = log
log_min_error_statement = panic
log_checkpoints = off
log_autovacuum_min_duration = -1
log_line_prefix = '%m '

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
lc_monetary = 'C'
lc_numeric = 'C'
lc_time = 'C'
default_text_search_config = 'pg_catalog.simple'
include = 'local.conf'
`;
}

async function replace(path: string, text: string, identity: Identity): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await identity.own(`${path}.new`);
  await rename(`${path}.new`, path);
}
