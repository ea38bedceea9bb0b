// What every page of a visit needs before it can be shown: the visit, and its guide in the
// languages that are on the phone. One place, so that all pages agree on it. A language that is
// missing is left out (texts fall back to Swedish and are marked); without Swedish there is no
// guide, and a page says what to do about it.

/** @typedef {{staff: string, tenant: string}} Languages tags */
/**
 * @typedef {object} VisitScene
 * @property {undefined} [failed]
 * @property {VisitFile} file
 * @property {Packs} packs
 * @property {Languages} languages
 * @property {Record<string, string>} people user id → name
 * @property {Record<string, string>} status operation id → where it is
 * @property {string} guide its version
 * @property {string} url of the visit
 * @property {Facts} facts
 */
/** @typedef {{failed: PageResult}} NoVisit the page to show instead */

import {loadPack} from '../guide/packs.js'
import {chosenLanguage} from '../i18n.js'
import {LANGUAGES, ORIGINAL} from '../models/view_models.js'
import {page} from '../page/router.js'
import {winner} from '../record/apply.js'
import {uuid7} from '../record/ids.js'
import {saveDrafts} from '../store/outbox.js'

/** @import {BlobDraft, Facts, OwnVisit, Person, VisitFile} from '../record/shapes.d.ts' */
/** @import {Pack, Packs} from '../guide/shapes.d.ts' */
/** @import {Call, PageResult} from '../page/shapes.d.ts' */

/** The address of a visit. @param {string} id @returns {string} */
export const urlOf = id => `/field/visits/${encodeURIComponent(id)}`

/**
 * The company's day as this phone knows it: its clock, corrected by the server's last answer.
 * @param {{clock_offset_ms?: number}} facts @returns {string} "2026-12-01"
 */
export function todayOf(facts) {
  const now = new Date(Date.now() + (facts.clock_offset_ms ?? 0))
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

/**
 * The language of the staff's half: the one they chose, but never the tenant's (then Swedish: the
 * original beside every translation, docs/design.md 6.5).
 * @param {Person} person @param {string} tenant tag
 */
function staffLanguage(person, tenant) {
  const own = chosenLanguage() || person.interface_language
  return own && own !== tenant ? own : ORIGINAL
}

// A version never changes, so a pack is read and parsed once for as long as the page lives: each
// tap needs it, and there are 100 ms from tap to paint.
/** @type {Map<string, Pack>} */
const kept = new Map()

/** @param {string} version @param {string} tag @returns {Promise<Pack>} */
async function packOf(version, tag) {
  const key = `${version} ${tag}`
  const pack = kept.get(key) ?? (await loadPack(version, tag))
  kept.set(key, pack)
  return pack
}

/**
 * Those that are here or can be fetched; the original always.
 * @param {string} version @param {string[]} tags @returns {Promise<Packs>}
 * @throws {Error} without the original
 */
async function packsOf(version, tags) {
  const wanted = [...new Set([ORIGINAL, ...tags])].filter(tag => Object.hasOwn(LANGUAGES, tag))
  const found = await Promise.allSettled(wanted.map(tag => packOf(version, tag)))
  if (found[0].status === 'rejected') throw found[0].reason
  /** @type {Packs} */
  const packs = {}
  for (const [i, one] of found.entries())
    if (one.status === 'fulfilled') packs[wanted[i]] = one.value
  return packs
}

/**
 * Keys of the sections a visitor goes through at the visit. One without an item that the visitor
 * sets is about what comes before or after it; the last one leads to the read-back.
 * @param {Packs} packs @returns {string[]}
 */
export function talkSections(packs) {
  const {sections, items} = packs[ORIGINAL]
  return sections
    .filter(one => one.items.some(key => items[key].set_by === 'visitor'))
    .map(one => one.key)
}

/**
 * Where each of the record's operations is: what the outbox does not know has come from the server.
 * @param {OwnVisit} file @returns {Record<string, string>}
 */
function statusOf(file) {
  /** @type {Record<string, string>} */
  const known = {...file.status}
  const {cells, notes, photos = [], follow_ups: followUps, attempts, consents} = file.record
  const ids = [
    ...Object.values(cells)
      .flat()
      .map(one => one.op),
    ...[notes, photos, followUps, attempts, consents].flat().map(one => one.id),
  ]
  for (const id of ids) known[id] ??= 'sent'
  return known
}

/**
 * Everything the views of one visit take, or the page to show instead.
 * @param {Call} call @returns {Promise<VisitScene|NoVisit>}
 */
export async function openVisit({params, store, person, i18n}) {
  const {_} = i18n
  const [file, facts] = await Promise.all([store.visit(params.id), store.facts()])
  if (!file) {
    return {
      failed: page(
        'field/message.html',
        {
          title: _('This visit is not on this phone'),
          text: _('It may have been given to someone else. Nothing you wrote is lost.'),
          remedy: _('Go to your visits and open it from there.'),
          alarm: false,
        },
        {status: 404},
      ),
    }
  }
  const guide = winner(file.record, 'guide')?.value || facts.guide
  const tenant = winner(file.record, 'language')?.value || file.tenancy?.language || ORIGINAL
  const languages = {staff: staffLanguage(person, tenant), tenant}
  /** @type {Packs} */
  let packs
  try {
    packs = await packsOf(guide, [languages.staff, tenant])
  } catch {
    return {
      failed: page(
        'field/message.html',
        {
          title: _('The guide is not on this phone yet'),
          text: _('This visit uses a guide that the phone has not fetched.'),
          remedy: _('Connect to the network once and open the visit again.'),
          alarm: false,
        },
        {status: 503},
      ),
    }
  }
  const whole = {
    record: file.record,
    state: file.state,
    tenancy: file.tenancy ?? {},
    settings: file.settings ?? {},
  }
  return {
    file: whole,
    packs,
    languages,
    people: facts.people ?? {},
    status: statusOf(file),
    guide,
    facts,
    url: urlOf(params.id),
  }
}

/**
 * Arguments of a view model, in order.
 * @param {VisitScene} scene
 * @returns {[VisitFile, Packs, Languages, Record<string, string>, Record<string, string>]}
 */
export const views = scene => [scene.file, scene.packs, scene.languages, scene.people, scene.status]

/** Name of the visit in a way back: its address. @param {VisitScene} scene */
export const addressOf = scene => scene.file.tenancy.street ?? ''

/**
 * Save operations on this visit and wait until they are safely on the phone.
 * @param {Call} call
 * @param {Array<{id?: string|null, kind: string, data: object}>} drafts the first gets the form's
 *   operation id
 * @param {BlobDraft[]} [blobs]
 */
export function save({store, params, form}, drafts, blobs = []) {
  const [first, ...rest] = drafts.map(draft => ({
    subject: {type: 'visit', id: params.id},
    ...draft,
  }))
  return saveDrafts(store, [{id: form.get('operation') || uuid7(), ...first}, ...rest], blobs)
}
