// Words of the interface. One i18n object per language; templates take `gettext` and `ngettext`
// from it, page modules use `_`. It refuses to leave the phone wordless: a catalogue that does
// not load is replaced by English, which is what the msgids are.

/** Interface languages with their own names (autonyms), default first. */
export const LANGUAGES = [['sv', 'Svenska'], ['en', 'English'], ['ar', 'العربية']]

/**
 * @typedef {object} I18n
 * @property {string} language
 * @property {'ltr'|'rtl'} direction
 * @property {(msgid: string) => string} gettext
 * @property {(one: string, many: string, n: number) => string} ngettext
 * @property {(msgid: string, params?: Record<string, string|number>) => string} _
 */

/** Replaces %(name)s by params.name and %% by %. Plain text: templates escape it.
 * @param {string} text @param {Record<string, string|number>} params @returns {string} */
export const fill = (text, params) =>
  text.replace(/%(?:\((\w+)\)[sd]|%)/g, (whole, name) => name === undefined ? '%' : String(params[name] ?? whole))

/** @param {string} language @returns {Promise<I18n>} */
export async function loadI18n(language) {
  const known = LANGUAGES.some(([code]) => code === language) ? language : 'sv'
  let catalogue
  try {
    catalogue = await import(`../build/catalog.${known}.js`)
  } catch {
    catalogue = {language: 'en', direction: 'ltr', gettext: id => id, ngettext: (one, many, n) => n === 1 ? one : many}
  }
  const {gettext, ngettext} = catalogue
  return {
    language: catalogue.language,
    direction: catalogue.direction,
    gettext,
    ngettext,
    _: (msgid, params = {}) => fill(gettext(msgid), params),
  }
}

/** The language to start in: what was chosen on this phone, what the person has, what the browser
 * says. @param {{interface_language?: string}|null} person @returns {string} */
export function preferredLanguage(person) {
  let chosen = ''
  try { chosen = localStorage.getItem('troskel.language') ?? '' } catch { /* storage is blocked: fall through */ }
  const wishes = [chosen, person?.interface_language ?? '', ...navigator.languages.map(tag => tag.split('-')[0])]
  return wishes.find(wish => LANGUAGES.some(([code]) => code === wish)) ?? 'sv'
}

/** Keeps the choice on this phone. @param {string} language */
export function chooseLanguage(language) {
  try { localStorage.setItem('troskel.language', language) } catch { /* lasts until the page closes */ }
}
