// Words of the interface. One i18n object per language; templates take `gettext` and `ngettext`
// from it, page modules use `_`. Invariant: there are always words. The original's are part of the
// bundle, and replace a catalogue that does not load. In the bundle a message is a number
// (pwa/bundle/phone_words.py); unbundled, as tests load these modules, it is the English text.
// Keep this file directly below static/field: the address of a catalogue is relative to build/ too.

import {INTERFACE, LANGUAGES, ORIGINAL} from '../build/languages.js'
import * as original from '../build/original.js'

/** Whether the interface is translated into it. @param {string} tag */
export const speaks = tag => INTERFACE.includes(tag)

/**
 * @typedef {object} I18n
 * @property {string} language
 * @property {'ltr'|'rtl'} direction
 * @property {(message: string) => string} gettext
 * @property {(one: string, many: string, n: number) => string} ngettext
 * @property {(message: string, params?: Record<string, string|number>) => string} _
 */

/**
 * Replaces %(name)s by params.name and %% by %. Plain text: templates escape it.
 * @param {string} text @param {Record<string, string|number>} params @returns {string}
 */
export const fill = (text, params) =>
  text.replace(/%(?:\((\w+)\)[sd]|%)/g, (whole, name) =>
    name === undefined ? '%' : String(params[name] ?? whole),
  )

/** @param {string} language */
const addressOf = language => `../build/catalog.${language}.js`

/**
 * Words of a language, of the original where that one cannot be loaded.
 * @param {string} language @returns {Promise<I18n>}
 */
export async function loadI18n(language) {
  const isElsewhere = speaks(language) && language !== ORIGINAL
  const {
    language: spoken,
    direction,
    gettext,
    ngettext,
  } = isElsewhere ? await import(addressOf(language)).catch(() => original) : original
  return {
    language: spoken,
    direction,
    gettext,
    ngettext,
    _: (message, params = {}) => fill(gettext(message), params),
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

/**
 * The language to start in: what was chosen on this phone, what the person has, what the browser
 * prefers.
 * @param {{interface_language?: string}|null} person @returns {string}
 */
export function preferredLanguage(person) {
  const wishes = [
    chosenLanguage(),
    person?.interface_language ?? '',
    ...navigator.languages.flatMap(tag => [tag, tag.split('-')[0]]),
  ]
  return wishes.find(speaks) ?? ORIGINAL
}

/**
 * Ask the worker to keep the words of this language for times without network: without being asked
 * it keeps only what every phone needs.
 * @param {string} language
 */
export async function keepWords(language) {
  if (language === ORIGINAL) return // part of the bundle
  const registration = await navigator.serviceWorker?.ready
  registration?.active?.postMessage({keep: [`build/catalog.${language}.js`]})
}

/** The interface languages as rows. @param {string} current */
export const languageRows = current =>
  INTERFACE.map(tag => {
    const [label, direction] = LANGUAGES[tag]
    return {code: tag, label, direction, chosen: tag === current}
  })

/** Keep the choice on this phone. @param {string} language */
export function chooseLanguage(language) {
  try {
    localStorage.setItem('troskel.language', language)
  } catch {
    /* lasts until the page closes */
  }
}
