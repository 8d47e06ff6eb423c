/** Languages. Every module brings its own words as a namespace; English is the reference. */
import i18next from 'i18next';
import LanguageDetector from 'i18next-browser-languagedetector';
import { initReactI18next } from 'react-i18next';

export type { Translation } from '@/ui/translation';

export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

export interface Messages {
  en: object;
  de: object;
}

export async function startLanguages(namespaces: Record<string, Messages>): Promise<void> {
  const resources = (language: Language) =>
    Object.fromEntries(Object.entries(namespaces).map(([name, words]) => [name, words[language]]));
  await i18next
    .use(LanguageDetector)
    .use(initReactI18next)
    .init({
      resources: { en: resources('en'), de: resources('de') },
      supportedLngs: Object.keys(LANGUAGES),
      fallbackLng: 'en',
      nonExplicitSupportedLngs: true,
      load: 'languageOnly',
      defaultNS: 'shell',
      detection: { order: ['localStorage', 'navigator'], lookupLocalStorage: 'tenon.language' },
      interpolation: { escapeValue: false },
    });
  document.documentElement.lang = i18next.language;
  i18next.on('languageChanged', (language) => {
    document.documentElement.lang = language;
  });
}
