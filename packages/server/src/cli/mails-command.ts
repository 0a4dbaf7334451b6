import { Command } from 'commander';
import { callServer } from '../control/control-client.ts';
import { dataFolder } from './data-folder.ts';

/** `gatewright mails [list | show]`: what the built-in mail provider keeps instead of sending. */
export function mailsCommand(): Command {
  const mails = new Command('mails').description(
    'Show the mails that a tenant would have sent. The built-in provider keeps them for 30 days and sends nothing. A server must be running.',
  );
  mails
    .command('list', { isDefault: true })
    .description('List the newest mails.')
    .option('--tenant <name>', 'the tenant; the default one where it is left out')
    .option('--limit <count>', 'how many', '20')
    .option('--json', 'print JSON')
    .action(async ({ tenant, limit, json }: { tenant?: string; limit: string; json?: boolean }) => {
      const answer = await callServer(dataFolder(), 'mails-list', { tenant, limit });
      const listed = Array.isArray(answer.mails) ? answer.mails : [];
      print(json ? JSON.stringify(listed, null, 2) : tableOf(listed));
    });
  mails
    .command('show <id>')
    .description('Show one mail with its links, by its id; "latest" is the newest one.')
    .option('--tenant <name>', 'the tenant; the default one where it is left out')
    .option('--html', 'print the HTML part instead of the text')
    .option('--json', 'print JSON, both parts included')
    .action(async (id: string, { tenant, html, json }: { tenant?: string; html?: boolean; json?: boolean }) => {
      const mail = await callServer(dataFolder(), 'mails-show', { tenant, id });
      if (json) return print(JSON.stringify(mail, null, 2));
      if (html) return print(String(mail.html));
      print(`${head(mail)}\n\n${mail.text}`);
    });
  return mails;
}

type Listed = Readonly<Record<string, unknown>>;

function head({ id, created_at, from, to, subject, status }: Listed): string {
  return `Id:      ${id} (${status})\nDate:    ${created_at}\nFrom:    ${from}\nTo:      ${to}\nSubject: ${subject}`;
}

function tableOf(mails: readonly Listed[]): string {
  if (mails.length === 0) return 'There are no mails.';
  const lines = mails.map(({ id, created_at, to, subject }) => `${id}  ${created_at}  ${to}  ${subject}`);
  return [...lines, '', 'One of them with its links: gatewright mails show <id>'].join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
