import type pg from 'pg';
import { listPartitionDays } from '../logs/partitions/partition-keeper.ts';
import type { Header } from './backup-format.ts';

/** Told by the header instead of by their rows. */
export const IN_HEADER: ReadonlySet<string> = new Set(['schema_migrations', 'log_epoch']);

type Connection = Pick<pg.Client, 'query'>;
type Shape = Pick<Header, 'migrations' | 'epoch' | 'tables' | 'logDays' | 'sequences'>;

/** All that a backup has to know of a database; read inside the snapshot whose rows it takes. */
export async function readShape(connection: Connection): Promise<Shape> {
  const { rows: migrations } = await connection.query<Header['migrations'][number]>(
    'select number, name from schema_migrations order by number',
  );
  const { rows: epochs } = await connection.query<{ epoch: number }>('select epoch from log_epoch');
  const { rows: partitions } = { rows: await listPartitionDays(connection) };
  return {
    migrations,
    epoch: epochs[0]?.epoch ?? 0,
    tables: (await readTables(connection)).filter(({ name }) => !IN_HEADER.has(name)),
    logDays: partitions.map(({ day }) => day),
    sequences: await readSequences(connection),
  };
}

/** Tables with the columns that hold data, each after those that it refers to. Extensions' own tables are not ours. */
export async function readTables(connection: Connection): Promise<Header['tables'][number][]> {
  const { rows } = await connection.query<{ name: string; columns: string[]; refers: string[] }>(
    `select c.relname as name,
       array(select a.attname::text from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
       array(select distinct r.relname::text from pg_constraint k join pg_class r on r.oid = k.confrelid
         where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as refers
     from pg_class c
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by c.relname`,
  );
  return inOrder(rows).map(({ name, columns }) => ({ name, columns }));
}

function inOrder<Table extends { name: string; refers: string[] }>(tables: readonly Table[]): Table[] {
  const ordered: Table[] = [];
  const waiting = new Set(tables);
  while (waiting.size > 0) {
    const names = new Set([...waiting].map(({ name }) => name));
    const free = [...waiting].filter(({ refers }) => !refers.some((name) => names.has(name)));
    if (free.length === 0) throw new Error(`Tables refer to each other in a circle: ${[...names].join(', ')}.`);
    for (const table of free) {
      ordered.push(table);
      waiting.delete(table);
    }
  }
  return ordered;
}

/** Read after the snapshot was taken: never below a number in one of its rows. */
async function readSequences(connection: Connection): Promise<Header['sequences']> {
  const { rows } = await connection.query<{ name: string }>(
    `select c.relname as name from pg_class c where c.relkind = 'S' and c.relnamespace = current_schema()::regnamespace
       and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by 1`,
  );
  const sequences: Header['sequences'][number][] = [];
  for (const { name } of rows) {
    const { rows: values } = await connection.query<{ value: string; isCalled: boolean }>(
      `select last_value::text as value, is_called as "isCalled" from "${name}"`,
    );
    if (values[0]) sequences.push({ name, ...values[0] });
  }
  return sequences;
}
