// Guide texts of one visit, in the staff's and the tenant's language; twin of
// pwa/visits/view_texts.py. A text that a language lacks is Swedish and marked as such. Direction
// comes from the language code. Pure: no words of the interface (those are in
// templates/shared/labels.html) and no clock.

import {LANGUAGES, ORIGINAL} from '../../build/languages.js'
import {fill, localise} from '../guide/fill.js'

/** @import {Tenancy, VisitFile, VisitRecord} from '../record/shapes.d.ts' */
/** @import {Pack, Packs} from '../guide/shapes.d.ts' */

/** @typedef {{staff: string, tenant: string}} Languages tags: the visitor's, the tenant's */
/** @typedef {Record<string, string>} Names user id → name */
/** @typedef {Record<string, string>} Status operation id → where it is */
/** @typedef {Record<string, any>} View plain values for a template */
/**
 * @typedef {object} Reader
 * @property {VisitRecord} record
 * @property {string} state
 * @property {Tenancy} tenancy
 * @property {Record<string, Record<string, string>>} settings language → the company's facts in it
 * @property {Packs} packs
 * @property {string} staff
 * @property {string} tenant
 * @property {Names} people
 * @property {Status} status
 * @property {Pack} structure the original's pack
 */

export {LANGUAGES, ORIGINAL} // tag → [name in the language itself, direction]

const NUMBER = /\+?[0-9][0-9 .,:/–-]*[0-9]/g

/** @param {object} object @param {string} key */
export const own = (object, key) => Object.hasOwn(object, key)

/**
 * `text` with each number that has inner spaces or marks isolated as left-to-right.
 * @param {string} text
 */
export const isolate = text => text.replace(NUMBER, found => `\u2066${found}\u2069`)

/**
 * Each value isolated in a right-to-left text, whatever it is written in; '' stays ''.
 * @param {Record<string, string>} values @returns {Record<string, string>}
 */
export const isolated = values =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, value && `\u2068${value}\u2069`]),
  )

/**
 * `text` with its values (guide/fill.js), as it is shown in a text of that direction.
 * @param {string} text @param {Record<string, string>} values @param {string} fallback
 * @param {string} dir
 */
const putIn = (text, values, fallback, dir) =>
  dir === 'rtl' ? isolate(fill(text, isolated(values), fallback)) : fill(text, values, fallback)

/**
 * An unknown tag is its own name, left to right.
 * @param {string} tag @returns {{tag: string, name: string, dir: string}}
 */
export function languageView(tag) {
  const [name, dir] = own(LANGUAGES, tag) ? LANGUAGES[tag] : [tag, 'ltr']
  return {tag, name, dir}
}

/** 1 (Monday) to 7 (Sunday) of "2026-12-01"; 0 for "". @param {string} day */
export const weekdayOf = day => (day ? new Date(`${day}T00:00:00Z`).getUTCDay() || 7 : 0)

/**
 * One visit, and everything needed to put it into words for somebody.
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages @param {Names} people
 * @param {Status} status @returns {Reader}
 */
export function readerOf(file, packs, languages, people, status) {
  const settings = Object.fromEntries(
    Object.entries(packs).map(([tag, pack]) => [tag, localise(file.settings, pack.texts)]),
  )
  return {...file, settings, packs, ...languages, people, status, structure: packs[ORIGINAL]}
}

/**
 * The text of `key` in `language`, else in Swedish, else ''.
 * @param {Reader} reader @param {string} language @param {string} key
 * @param {Record<string, string>} [extra] values beside the company's facts
 * @returns {{text: string, tag: string, dir: string, state: string}} `tag`: in which language
 */
export function textOf(reader, language, key, extra = {}) {
  for (const tag of [language, ORIGINAL]) {
    const pack = reader.packs[tag]
    if (pack && own(pack.texts, key)) {
      const {dir} = languageView(tag)
      const values = {...reader.settings[tag], ...extra}
      return {
        text: putIn(pack.texts[key], values, pack.texts.ask_landlord ?? '', dir),
        tag,
        dir,
        state: pack.states[key] ?? pack.state,
      }
    }
  }
  return {text: '', tag: ORIGINAL, dir: 'ltr', state: 'original'}
}

/**
 * `key` in both languages, under `name`; the tenant's half is '' where it would repeat.
 * @param {Reader} reader @param {string} name @param {string} key
 * @param {Record<string, string>} [extra] @returns {View}
 */
export function pair(reader, name, key, extra = {}) {
  const staff = textOf(reader, reader.staff, key, extra)
  const tenant = textOf(reader, reader.tenant, key, extra)
  return {
    [name]: staff.text,
    [`${name}_lang`]: staff.tag,
    [`${name}_dir`]: staff.dir,
    [`${name}_tenant`]: tenant.tag === staff.tag ? '' : tenant.text,
    [`${name}_tenant_lang`]: tenant.tag,
    [`${name}_tenant_dir`]: tenant.dir,
    [`${name}_missing`]: tenant.tag !== reader.tenant,
    [`${name}_machine`]: staff.state === 'machine' || tenant.state === 'machine',
    [`${name}_translated`]: staff.state === 'translated' || tenant.state === 'translated',
  }
}

/**
 * Key of an answer's text: the item's own where it has one.
 * @param {Reader} reader @param {string} item @param {string} code
 */
export function answerKey(reader, item, code) {
  const key = `${item}.answer.${code}`
  return own(reader.structure.texts, key) ? key : `answer.${code}`
}

/**
 * An item's label in the staff's language; '' for none. @param {Reader} reader @param {string} item
 */
export const itemLabel = (reader, item) =>
  item ? textOf(reader, reader.staff, `${item}.label`).text : ''

/**
 * Who and when of an entry or a write: the device's own clock, as it showed it.
 * @param {Reader} reader @param {{by: string, at: string, op?: string, id?: string}} entry
 * @returns {{by: string, date: string, time: string, status: string}}
 */
export function stamp(reader, entry) {
  return {
    by: reader.people[entry.by] ?? '',
    date: entry.at.slice(0, 10),
    time: entry.at.slice(11, 16),
    status: reader.status[entry.op ?? entry.id ?? ''] ?? '',
  }
}
