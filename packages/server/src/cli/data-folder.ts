import { readConfig } from '../config.ts';

/** Where the server of this command keeps its data: GATEWRIGHT_DATA_DIR, else ./data. */
export function dataFolder(): string {
  const { GATEWRIGHT_DATA_DIR: folder } = process.env;
  return readConfig(folder === undefined ? {} : { GATEWRIGHT_DATA_DIR: folder }).dataDir;
}
