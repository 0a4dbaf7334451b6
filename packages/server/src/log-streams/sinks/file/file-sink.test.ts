import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attempt, eventOf, partsOfStream, sinkContract } from '../../../../test/log-streams/sink-contract.ts';
import { temporaryFolder } from '../../../../test/temporary-folder.ts';
import type { SinkParts, SinkSettings } from '../sink.ts';
import { createFileSink, faultOfFileSettings } from './file-sink.ts';

const TODAY = '2026-11-22.jsonl';

sinkContract('file', async () => {
  const root = mkdtempSync(join(tmpdir(), 'gatewright-folder-'));
  const folder = join(root, partsOfStream.tenantId, partsOfStream.streamId);
  return {
    create: (parts) => createFileSink({}, { ...parts, folder: root }),
    arrived: () => linesIn(folder),
    stop: async () => rmSync(root, { recursive: true }),
  };
});

describe('a stream into files', () => {
  function streamIn(root: string, settings: SinkSettings = {}, parts: Partial<SinkParts> = {}) {
    const folder = join(root, 'dev', partsOfStream.streamId);
    return { folder, sink: createFileSink(settings, { ...partsOfStream, ...parts, folder: root }) };
  }

  it("is the server's own: folder of tenant and stream, a file a day, readable by nobody else", async () => {
    const { folder, sink } = streamIn(join(await temporaryFolder(), 'logs'));
    await sink.send([eventOf(1)], attempt());
    expect(readdirSync(folder)).toEqual([TODAY]);
    expect([statSync(folder).mode & 0o777, statSync(join(folder, TODAY)).mode & 0o777]).toEqual([0o700, 0o600]);
    await sink.close();
  });

  it('leaves some of the disk free, since whose stream it is does not own it', async () => {
    const { folder, sink } = streamIn(await temporaryFolder(), {}, { leastFreeBytes: Number.MAX_SAFE_INTEGER });
    expect(await sink.send([eventOf(1)], attempt())).toEqual({
      ok: false,
      verdict: 'retry',
      problem: 'The disk is full.',
    });
    expect(readFileSync(join(folder, TODAY), 'utf8')).toBe('');
    await sink.close();
  });

  it('goes on with the next day in the next file, and goes on with a file that there is', async () => {
    const root = await temporaryFolder();
    let now = new Date('2026-11-22T23:59:59.999Z');
    const first = streamIn(root, {}, { now: () => now });
    await first.sink.send([eventOf(1)], attempt());
    now = new Date('2026-11-23T00:00:00.000Z');
    await first.sink.send([eventOf(2)], attempt());
    await first.sink.close();
    const second = streamIn(root, {}, { now: () => now });
    await second.sink.send([eventOf(3)], attempt());
    await second.sink.close();
    expect(countsIn(first.folder)).toEqual({ [TODAY]: 1, '2026-11-23.jsonl': 2 });
  });

  it('begins a further file where one is as large as it may be', async () => {
    const { folder, sink } = streamIn(await temporaryFolder(), { fileMaxMegabytes: 1 });
    const large = eventOf(1, { description: 'x'.repeat(600_000) });
    for (let round = 0; round < 5; round++) await sink.send([large], attempt());
    await sink.close();
    expect(countsIn(folder)).toEqual({ [TODAY]: 2, '2026-11-22.1.jsonl': 2, '2026-11-22.2.jsonl': 1 });
  });

  it('deletes the files of days that are not to be kept, and nothing else', async () => {
    const { folder, sink } = streamIn(await temporaryFolder(), { fileKeepDays: 2 });
    mkdirSync(folder, { recursive: true });
    for (const name of [
      '2026-11-19.jsonl',
      '2026-11-19.3.jsonl',
      '2026-11-20.jsonl',
      'notes.txt',
      '2026-11-01.jsonl.gz',
    ])
      writeFileSync(join(folder, name), '');
    await sink.send([eventOf(1)], attempt());
    await sink.close();
    expect(readdirSync(folder)).toEqual(['2026-11-01.jsonl.gz', '2026-11-20.jsonl', TODAY, 'notes.txt']);
  });

  it('writes into a new file when somebody has moved the old one away', async () => {
    const { folder, sink } = streamIn(await temporaryFolder());
    await sink.send([eventOf(1)], attempt());
    renameSync(join(folder, TODAY), join(folder, 'moved'));
    await sink.send([eventOf(2)], attempt());
    await sink.close();
    expect(countsIn(folder)).toEqual({ [TODAY]: 1, moved: 1 });
  });

  it('begins a line behind one that a dying process has torn', async () => {
    const { folder, sink } = streamIn(await temporaryFolder());
    await sink.send([eventOf(1)], attempt());
    await sink.close();
    appendFileSync(join(folder, TODAY), '{"log_id":"900');
    const again = createFileSink({}, { ...partsOfStream, folder: join(folder, '../..') });
    await again.send([eventOf(2)], attempt());
    await again.close();
    const lines = readFileSync(join(folder, TODAY), 'utf8').split('\n');
    expect(lines.map((line) => line.slice(0, 14))).toEqual(['{"log_id":"900', '{"log_id":"900', '{"log_id":"900', '']);
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ log_id: eventOf(2).logId });
  });

  it.each<[string, (path: string, victim: string) => void]>([
    ['a link', (path, victim) => symlinkSync(victim, path)],
    ['a link that leads nowhere', (path, victim) => symlinkSync(`${victim}-not-there`, path)],
    ["another file's name", (path, victim) => linkSync(victim, path)],
    ['a pipe', (path) => void execFileSync('mkfifo', [path])],
    ['a folder', (path) => mkdirSync(path)],
  ])('writes to nothing where its file is %s', async (_what, place) => {
    const root = await temporaryFolder();
    const { folder, sink } = streamIn(root);
    const victim = join(root, 'victim');
    writeFileSync(victim, 'as it was');
    mkdirSync(folder, { recursive: true });
    place(join(folder, TODAY), victim);
    expect(await sink.send([eventOf(1)], attempt())).toMatchObject({ ok: false, verdict: 'hold' });
    await sink.close();
    expect([readFileSync(victim, 'utf8'), readdirSync(root).sort()]).toEqual(['as it was', ['dev', 'victim']]);
  });

  it.each(['dev', join('dev', partsOfStream.streamId)])(
    'writes to nothing where its folder %s is a link',
    async (name) => {
      const [root, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
      mkdirSync(join(root, name, '..'), { recursive: true });
      symlinkSync(elsewhere, join(root, name));
      expect(await streamIn(root).sink.send([eventOf(1)], attempt())).toMatchObject({ ok: false, verdict: 'hold' });
      expect(readdirSync(elsewhere)).toEqual([]);
    },
  );

  it.each(['..', '.', '../other', 'a/b', '', '/etc', 'a\0b'])('has no folder named %j', (tenantId) => {
    expect(() => createFileSink({}, { ...partsOfStream, tenantId })).toThrow();
  });

  it('tries again where the disk is full, and leaves no half line', async () => {
    const root = await temporaryFolder();
    const deliveries = execFileSync('sh', ['-c', 'ulimit -f 8; exec "$0" "$@"', process.execPath, SENDER, root]);
    expect(JSON.parse(deliveries.toString())).toEqual([
      { ok: true },
      { ok: false, verdict: 'retry', problem: 'The disk is full.' },
      { ok: true },
    ]);
    expect(countsIn(join(root, 'dev', 'lst_1'))).toEqual({ [TODAY]: 2 });
  });

  it('takes sizes and days within bounds, and no path', () => {
    expect([{}, { fileMaxMegabytes: 1, fileKeepDays: 3_650 }].map(faultOfFileSettings)).toEqual([undefined, undefined]);
    const wrong = [{ fileMaxMegabytes: 0 }, { fileMaxMegabytes: '5' }, { fileKeepDays: 1.5 }, { fileKeepDays: 4_000 }];
    expect(wrong.every((settings) => faultOfFileSettings(settings)?.includes(' must be a number from 1 to '))).toBe(
      true,
    );
  });
});

/** Sends a small batch, one that is larger than a file may get, and a small one. */
const SENDER = join(import.meta.dirname, '../../../../test/log-streams/send-to-file.ts');

function linesIn(folder: string) {
  try {
    return readdirSync(folder).flatMap((name) => parsedLines(join(folder, name)));
  } catch {
    return [];
  }
}

function countsIn(folder: string): Record<string, number> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, parsedLines(join(folder, name)).length]));
}

function parsedLines(path: string) {
  const lines = readFileSync(path, 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line));
}
