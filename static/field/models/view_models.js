// Visit records as the plain values that templates/shared accept; twin of
// pwa/visits/view_models.py, where the reasons are given. Invariant: pure, and equal to its twin
// word for word (sync/vectors/view_*.json run against both). Values are strings, small integers,
// booleans, lists and objects, never null. Words of the interface are left as codes, which
// templates/shared/labels.html translates; rights, clocks and URLs are not known here.

import {valueIn, winner} from '../record/apply.js'
import {
  attemptsOf,
  conflictViews,
  consentText,
  consentViews,
  followUpsOf,
  notesOf,
  openPoints,
  photosOf,
  reviewsOf,
} from './view_entries.js'
import {
  answerKey,
  isolate,
  LANGUAGES,
  languageView,
  ORIGINAL,
  own,
  pair,
  readerOf,
  stamp,
  weekdayOf,
} from './view_texts.js'

/** @import {VisitFile} from '../record/shapes.d.ts' */
/** @import {Item, Packs, Section} from '../guide/shapes.d.ts' */

export {isolate, LANGUAGES, languageView, ORIGINAL, weekdayOf}

/** @typedef {import('./view_texts.js').Languages} Languages */
/** @typedef {import('./view_texts.js').Names} Names */
/** @typedef {import('./view_texts.js').Reader} Reader */
/** @typedef {import('./view_texts.js').Status} Status */
/** @typedef {import('./view_texts.js').View} View */
/**
 * @typedef {{conflicts: View[], points: View[], notes: View[], photos: View[],
 *   followUps: View[]}} Entries of a whole visit
 */

export const READ_BACK_ITEM = 'i67'
const LANGUAGE_ITEM = 'i03'
const PHOTO_ITEM = 'i66'

/** @param {Reader} reader */
const photoCount = ({record}) => (record.photos ?? []).filter(one => !one.retracted).length
/** @param {Reader} reader @param {string} item @returns {string} "" where there is none */
const answerOf = (reader, item) =>
  item === PHOTO_ITEM && photoCount(reader) ? 'taken' : valueIn(reader.record, `answer.${item}`)
/** @param {string} item */
const numberOf = item => Number(item.slice(1))

/**
 * Whether a visitor answers this item in a visit of this kind.
 * @param {string} key @param {Item} item @param {string} kind
 */
export function answerable(key, item, kind) {
  if (item.set_by === 'revisit') return kind === 'revisit'
  return (item.set_by === 'visitor' || item.set_by === 'booking') && key !== LANGUAGE_ITEM
}

/** The answer a section tick gives this item, or "" where it needs its own. @param {Item} item */
export const tickAnswer = item => item.tick || (item.kind === 'explain' ? 'done' : '')

/**
 * @param {Reader} reader @param {string} key @returns {Section} @throws {Error} where there is none
 */
function sectionOf(reader, key) {
  const found = reader.structure.sections.find(one => one.key === key)
  if (!found) throw new Error(`no section ${key}`)
  return found
}

/**
 * Item and answer of everything that the section's tick answers.
 * @param {Reader} reader @param {Section} section @returns {Array<[string, string]>}
 */
function tickable(reader, section) {
  const {items} = reader.structure
  return section.items
    .filter(key => answerable(key, items[key], reader.record.kind))
    .map(key => /** @type {[string, string]} */ ([key, tickAnswer(items[key])]))
    .filter(([, answer]) => answer)
}

/** @param {VisitFile} file @param {Packs} packs */
const bare = (file, packs) => readerOf(file, packs, {staff: ORIGINAL, tenant: ORIGINAL}, {}, {})

/**
 * item → answer of the section tick: every tickable item that has no answer yet.
 * @param {VisitFile} file @param {Packs} packs @param {string} section
 * @returns {Record<string, string>}
 */
export function tickOf(file, packs, section) {
  const reader = bare(file, packs)
  return Object.fromEntries(
    tickable(reader, sectionOf(reader, section)).filter(([key]) => !answerOf(reader, key)),
  )
}

/**
 * item → "" for what the last tick of the section answered; {} while a tick has work left.
 * @param {VisitFile} file @param {Packs} packs @param {string} section
 * @returns {Record<string, string>}
 */
export function untickOf(file, packs, section) {
  const reader = bare(file, packs)
  const keys = tickable(reader, sectionOf(reader, section)).map(([key]) => key)
  const writes = keys.map(key => winner(reader.record, `answer.${key}`))
  if (!writes.every(write => write?.value)) return {}
  const last = Math.max(0, ...writes.map(write => write?.seq ?? 0))
  return Object.fromEntries(keys.filter((_, n) => writes[n]?.seq === last).map(key => [key, '']))
}

/** @param {Reader} reader @param {Section} section @param {View[]} openMusts @returns {View} */
function sectionHead(reader, section, openMusts) {
  const {items} = reader.structure
  const asked = section.items.filter(
    key => answerable(key, items[key], reader.record.kind) && !items[key].tally,
  )
  return {
    key: section.key,
    number: section.number,
    ...pair(reader, 'heading', `${section.key}.title`),
    answered: asked.filter(key => answerOf(reader, key)).length,
    total: asked.length,
    must_open: openMusts.filter(one => one.section === section.key).length,
  }
}

/**
 * Whether closing lists this item while it is open: a must that the visitor sets.
 * @param {string} key @param {Item} item @returns {boolean}
 */
const closes = (key, item) => item.must && item.set_by === 'visitor' && key !== READ_BACK_ITEM

/** Musts without an answer, in the guide's order. @param {Reader} reader @returns {View[]} */
function musts(reader) {
  const {items, sections} = reader.structure
  return sections.flatMap(section =>
    section.items
      .filter(key => closes(key, items[key]) && !answerOf(reader, key))
      .map(key => ({
        key,
        section: section.key,
        number: numberOf(key),
        ...pair(reader, 'label', `${key}.label`),
      })),
  )
}

/**
 * Keys of the musts without an answer, in the guide's order.
 * @param {VisitFile} file @param {Packs} packs @returns {string[]}
 */
export const mustOpen = (file, packs) => musts(bare(file, packs)).map(one => one.key)

/** @param {Reader} reader @param {string} key @param {Entries} all @returns {View} */
function itemView(reader, key, all) {
  const item = reader.structure.items[key]
  const write = winner(reader.record, `answer.${key}`)
  const given = answerOf(reader, key)
  const label = pair(reader, 'label', `${key}.label`)
  const explain = pair(reader, 'explain', `${key}.explain`)
  const answers = item.answers.map(code => ({
    code,
    pressed: code === given,
    ...pair(reader, 'label', answerKey(reader, key, code)),
  }))
  /** @type {View|undefined} */
  const pressed = answers.find(one => one.pressed)
  const offered = given && own(item.follow_ups, given) ? item.follow_ups[given] : {}
  const mine = (/** @type {View[]} */ rows) => rows.filter(one => one.item === key)
  return {
    key,
    section: item.section,
    number: numberOf(key),
    kind: item.kind,
    must: item.must,
    free_text: item.free_text,
    tally: item.tally,
    answerable: answerable(key, item, reader.record.kind),
    pictogram: item.pictogram ?? '',
    verify: item.law?.verify ?? false,
    law_as_of: item.law?.as_of ?? '',
    ...label,
    ...explain,
    machine: label.label_machine || explain.explain_machine,
    translated: label.label_translated || explain.explain_translated,
    missing: label.label_missing || explain.explain_missing,
    answers,
    answer: given,
    answered: pressed ? pressed.label : given,
    answered_tenant: pressed ? pressed.label_tenant : '',
    ...(write ? stamp(reader, write) : {by: '', date: '', time: '', status: ''}),
    offer_queue: offered.queue ?? '',
    offer_urgency: offered.urgency ?? '',
    reminder: item.reminder ?? false,
    critical: item.critical ?? false,
    notice: item.notice ?? '',
    asks_consent: (item.consents ?? []).length > 0,
    offers_photo: key === PHOTO_ITEM || Boolean(item.photo && offered.queue),
    photo_count: key === PHOTO_ITEM ? photoCount(reader) : 0,
    operation: '',
    counted: false,
    conflict: all.conflicts.find(one => one.item === key)?.rows ?? [],
    notes: mine(all.notes),
    photos: mine(all.photos),
    follow_ups: mine(all.followUps),
    points: mine(all.points),
  }
}

/**
 * Where, when, who: the top of a visit, and its line in a list.
 * @param {VisitFile} file @param {Names} people @returns {View}
 */
export function headView(file, people) {
  const {record, tenancy} = file
  const address = tenancy.street ?? ''
  const place = [tenancy.postcode ?? '', tenancy.city ?? ''].filter(Boolean).join(' ')
  const date = valueIn(record, 'date')
  return {
    id: record.id,
    kind: record.kind,
    state: file.state,
    seq: record.seq,
    has_tenancy: Boolean(address),
    address,
    apartment: tenancy.apartment ?? '',
    place,
    area: tenancy.area ?? '',
    move_in: tenancy.move_in ?? '',
    date,
    weekday: weekdayOf(date),
    time: valueIn(record, 'time'),
    names: [...(tenancy.tenants ?? [])],
    phones: (tenancy.phones ?? []).map(one => ({
      label: one.original || one.e164,
      href: one.e164 ? `tel:${one.e164}` : '',
    })),
    map_href: address
      ? `geo:0,0?q=${encodeURIComponent([address, place].filter(Boolean).join(', '))}`
      : '',
    visitors: valueIn(record, 'visitors', []).map(
      (/** @type {string} */ one) => people[one] ?? one,
    ),
    language: languageView(valueIn(record, 'language') || (tenancy.language ?? '') || ORIGINAL),
    language_chosen: valueIn(record, 'language') !== '',
  }
}

/**
 * One visit without its items: head, sections with progress, and its lists.
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages @param {Names} people
 * @param {Status} status @returns {View}
 */
export function visitView(file, packs, languages, people, status) {
  const reader = readerOf(file, packs, languages, people, status)
  const open = musts(reader)
  return {
    ...headView(file, people),
    staff: languageView(reader.staff),
    tenant: languageView(reader.tenant),
    both: reader.staff !== reader.tenant,
    sections: reader.structure.sections.map(one => sectionHead(reader, one, open)),
    must_open: open,
    notes: notesOf(reader),
    photos: photosOf(reader),
    follow_ups: followUpsOf(reader),
    attempts: attemptsOf(reader),
    consents: consentViews(reader),
    reviews: reviewsOf(reader),
    points: openPoints(reader),
    conflicts: conflictViews(reader),
    late: reader.record.late.length,
    changed: reader.state === 'changed',
    closed: valueIn(reader.record, 'closed') === 'yes',
  }
}

/**
 * One section of the guide with its items; throws where the guide has no such section.
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages @param {Names} people
 * @param {Status} status @param {string} section @returns {View}
 */
export function sectionView(file, packs, languages, people, status, section) {
  const reader = readerOf(file, packs, languages, people, status)
  const found = sectionOf(reader, section)
  const all = {
    conflicts: conflictViews(reader),
    points: openPoints(reader),
    notes: notesOf(reader),
    photos: photosOf(reader),
    followUps: followUpsOf(reader),
  }
  return {
    ...sectionHead(reader, found, musts(reader)),
    rows: found.items.map(key => itemView(reader, key, all)),
    can_tick: Object.keys(tickOf(file, packs, section)).length > 0,
    can_untick: Object.keys(untickOf(file, packs, section)).length > 0,
  }
}

/**
 * `visitView` plus `detail`: every section with its items (the read-back).
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages @param {Names} people
 * @param {Status} status @returns {View}
 */
export function summaryView(file, packs, languages, people, status) {
  return {
    ...visitView(file, packs, languages, people, status),
    detail: packs[ORIGINAL].sections.map(one =>
      sectionView(file, packs, languages, people, status, one.key),
    ),
  }
}

/**
 * One consent to be asked for, with `recipient` in its text.
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages @param {Names} people
 * @param {string} purpose @param {string} recipient @returns {View}
 */
export function consentView(file, packs, languages, people, purpose, recipient) {
  const reader = readerOf(file, packs, languages, people, {})
  const found = consentViews(reader).find(one => one.purpose === purpose)
  if (!found) throw new Error(`no consent ${purpose}`)
  return {...found, recipient, ...consentText(reader, purpose, recipient)}
}

/**
 * The parts of a notice (title first), each in both languages; [] where there is no such notice.
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages @param {string} key
 * @returns {View[]}
 */
export function noticeView(file, packs, languages, key) {
  const reader = readerOf(file, packs, languages, {}, {})
  const booked = {
    'visit.date': valueIn(file.record, 'date'),
    'visit.time': valueIn(file.record, 'time'),
    'visit.apartment': file.tenancy.apartment ?? '',
  }
  const parts = reader.structure.notices.find(one => one.key === key)?.parts ?? []
  return parts.map(part => pair(reader, 'text', `notice.${key}.${part}`, booked))
}
