// Words of the interface. One i18n object per language; templates take `gettext` and `ngettext`
// from it, page modules use `_`. It refuses to leave the phone wordless: a catalogue that does
// not load is replaced by English, which is what the msgids are.

import {INTERFACE, LANGUAGES, ORIGINAL} from '../build/languages.js'

/** Whether the interface speaks it. @param {string} tag */
export const speaks = tag => INTERFACE.includes(tag)

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
  const known = speaks(language) ? language : ORIGINAL
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

/** What was chosen on this phone; '' for nothing yet. @returns {string} */
export function chosenLanguage() {
  try {
    const tag = localStorage.getItem('troskel.language') ?? ''
    return speaks(tag) ? tag : ''
  } catch {
    return '' // storage is blocked
  }
}

/** The language to start in: what was chosen on this phone, what the person has, what the browser
 * says. @param {{interface_language?: string}|null} person @returns {string} */
export function preferredLanguage(person) {
  const wishes = [chosenLanguage(), person?.interface_language ?? '', ...navigator.languages.flatMap(tag => [tag, tag.split('-')[0]])]
  return wishes.find(speaks) ?? ORIGINAL
}

/** Asks the worker to keep the words of this language for times without network: it keeps by itself
 * only what every phone needs. @param {string} language */
export async function keepWords(language) {
  const registration = await navigator.serviceWorker?.ready
  registration?.active?.postMessage({keep: [`build/catalog.${language}.js`]})
}

/** The interface languages as rows. @param {string} current */
export const languageRows = current => INTERFACE.map(tag => {
  const [label, direction] = LANGUAGES[tag]
  return {code: tag, label, direction, chosen: tag === current}
})

/** Keeps the choice on this phone. @param {string} language */
export function chooseLanguage(language) {
  try { localStorage.setItem('troskel.language', language) } catch { /* lasts until the page closes */ }
}
