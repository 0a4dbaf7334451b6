import { objectOf, textOf } from '../kit/json-values.ts';

const MOST_LINES = 20;

/** A notice as one message of a chat that takes Slack's webhooks: a line an alert, nothing in it is markup. */
export function slackText(content: Readonly<Record<string, unknown>>): string {
  const lines = [...linesOf(content.opened, 'Opened'), ...linesOf(content.resolved, 'Resolved')];
  const more = lines.length > MOST_LINES ? [`… and ${lines.length - MOST_LINES} more`] : [];
  return [`Gatewright, tenant ${escaped(String(content.tenant))}`, ...lines.slice(0, MOST_LINES), ...more].join('\n');
}

function linesOf(alerts: unknown, word: string): string[] {
  if (!Array.isArray(alerts)) return [];
  return alerts.map(objectOf).map((alert) => `${word}: ${escaped(textOf(alert.summary) ?? String(alert.rule))}`);
}

/** What is quoted may come from anybody: a user name `<!channel>` must not call everybody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
