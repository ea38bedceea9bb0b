// What every page of a visit needs before it can be shown: the visit, its guide in the languages
// that are on the phone, who may read what. One place, so that all pages agree on it. A language
// that is missing is left out (texts fall back to Swedish and say so); without Swedish there is
// no guide, and the page says what to do instead of showing half.

import {loadPack} from '../guide/packs.js'
import {chosenLanguage} from '../i18n.js'
import {LANGUAGES, ORIGINAL} from '../models/view_models.js'
import {page} from '../page/router.js'
import {winner} from '../record/apply.js'
import {uuid7} from '../record/ids.js'
import {saveDrafts} from '../store/outbox.js'

/** The address of a visit. @param {string} id @returns {string} */
export const urlOf = id => `/field/visits/${encodeURIComponent(id)}`

/** The company's day as this phone knows it: its clock, put right by the last server answer.
 * @param {{clock_offset_ms?: number}} facts @returns {string} "2026-12-01" */
export function todayOf(facts) {
  const now = new Date(Date.now() + (facts.clock_offset_ms ?? 0))
  const two = n => String(n).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

/** In which language the staff's half stands: the one they chose, but never the tenant's (then
 * Swedish: the original beside every translation, docs/design.md 6.5). */
function staffLanguage(person, tenant) {
  const own = chosenLanguage() || person.interface_language
  return own && own !== tenant ? own : ORIGINAL
}

// A version never changes, so a pack is read and parsed once for as long as the page lives: each
// tap needs it, and there are 100 ms from tap to paint.
const kept = new Map()

async function packOf(version, tag) {
  const key = `${version} ${tag}`
  if (!kept.has(key)) kept.set(key, await loadPack(version, tag))
  return kept.get(key)
}

async function packsOf(version, tags) {
  const wanted = [...new Set([ORIGINAL, ...tags])].filter(tag => Object.hasOwn(LANGUAGES, tag))
  const found = await Promise.allSettled(wanted.map(tag => packOf(version, tag)))
  if (found[0].status === 'rejected') throw found[0].reason
  return Object.fromEntries(
    wanted.flatMap((tag, i) => (found[i].status === 'fulfilled' ? [[tag, found[i].value]] : [])),
  )
}

/** Where each of the record's operations is: what the outbox knows nothing of has come from the server. */
function statusOf(file) {
  const known = {...(file.status ?? {})}
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
 * @param {import('../page/router.js').Call} call
 * @returns {Promise<{failed?: object, file: object, packs: object, languages: object, people: object,
 *   status: object, guide: string, url: string, facts: object}>}
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

/** Arguments of a view model, in order. */
export const views = scene => [scene.file, scene.packs, scene.languages, scene.people, scene.status]

/** Name of the visit in a way back: its address, or what kind it is. */
export const addressOf = scene => scene.file.tenancy.street ?? ''

/**
 * Save operations on this visit and wait until they are safely on the phone.
 * @param {import('../page/router.js').Call} call
 * @param {Array<{id?: string, kind: string, data: object}>} drafts the first takes the form's operation id
 * @param {Array<object>} [blobs]
 */
export function save({store, params, form}, drafts, blobs = []) {
  const [first, ...rest] = drafts.map(draft => ({
    subject: {type: 'visit', id: params.id},
    ...draft,
  }))
  return saveDrafts(store, [{id: form.get('operation') || uuid7(), ...first}, ...rest], blobs)
}
