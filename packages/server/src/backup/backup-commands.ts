import type { ControlVerbs } from '../control/control-server.ts';
import type { ControlPiece } from '../control/control-stream.ts';
import { type BackupParts, type BackupProgress, writeBackup } from './write-backup.ts';

/** `gatewright backup`, as the running server carries it out. */
export function backupCommands(parts: Omit<BackupParts, 'onProgress'>): ControlVerbs {
  return { backup: async () => pieces(parts) };
}

async function* pieces(parts: Omit<BackupParts, 'onProgress'>): AsyncGenerator<ControlPiece, void, void> {
  const told: BackupProgress[] = [];
  for await (const data of writeBackup({ ...parts, onProgress: (progress) => told.push(progress) })) {
    yield { data };
    for (const progress of told.splice(0)) yield { progress: { ...progress } };
  }
}
