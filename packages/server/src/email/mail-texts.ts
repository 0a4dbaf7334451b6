import de from './texts/de.json' with { type: 'json' };
import en from './texts/en.json' with { type: 'json' };
import es from './texts/es.json' with { type: 'json' };
import fr from './texts/fr.json' with { type: 'json' };

/** Every text of the mails, by template and key. */
export type MailTexts = typeof en;

const byLanguage: ReadonlyMap<string, MailTexts> = new Map(
  Object.entries({ en, de, es, fr } satisfies Record<string, MailTexts>),
);

export const mailLanguages: ReadonlySet<string> = new Set(byLanguage.keys());

export function mailTexts(language: string): MailTexts {
  return byLanguage.get(language) ?? en;
}
