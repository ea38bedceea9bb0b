/**
 * Visit records as the plain values that templates/shared accept; twin of pwa/visits/view_models.py.
 *
 * Invariant: pure, and equal to its twin word for word (sync/vectors/view_*.json run against
 * both). What comes out holds strings, small integers, booleans, lists and objects only,
 * never null. Interface words are left as codes: templates/shared/labels.html says them. It
 * refuses to know rights, clocks and URLs; why each thing is so stands in the twin.
 *
 * @typedef {{record: object, state: string, tenancy: object, settings: Object<string, string>}} VisitFile
 * @typedef {Object<string, object>} Packs       language tag → guide pack, always with Swedish
 * @typedef {{staff: string, tenant: string}} Languages
 * @typedef {Object<string, string>} Names       user id → name
 * @typedef {Object<string, 'phone'|'sent'|'needs'>} Status   operation id → where it is
 */
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

export {isolate, LANGUAGES, languageView, ORIGINAL, weekdayOf}
export const READ_BACK_ITEM = 'i67'
const LANGUAGE_ITEM = 'i03'
const PHOTO_ITEM = 'i66'

const photoCount = ({record}) => (record.photos ?? []).filter(one => !one.retracted).length
const answerOf = (reader, item) =>
  item === PHOTO_ITEM && photoCount(reader) ? 'taken' : valueIn(reader.record, `answer.${item}`)
const numberOf = item => Number(item.slice(1))

/** Whether a visitor answers this item in a visit of this kind. */
export function answerable(key, item, kind) {
  if (item.set_by === 'revisit') return kind === 'revisit'
  return (item.set_by === 'visitor' || item.set_by === 'booking') && key !== LANGUAGE_ITEM
}

/** The answer a section tick gives this item, or "" where it needs its own. */
export const tickAnswer = item => item.tick || (item.kind === 'explain' ? 'done' : '')

function sectionOf(reader, key) {
  const found = reader.structure.sections.find(one => one.key === key)
  if (!found) throw new Error(`no section ${key}`)
  return found
}

function tickable(reader, section) {
  return section.items
    .filter(key => answerable(key, reader.structure.items[key], reader.record.kind))
    .map(key => [key, tickAnswer(reader.structure.items[key])])
    .filter(([, answer]) => answer)
}

const bare = (file, packs) => readerOf(file, packs, {staff: ORIGINAL, tenant: ORIGINAL}, {}, {})

/** item → answer of the section tick: every tickable item that has no answer yet. */
export function tickOf(file, packs, section) {
  const reader = bare(file, packs)
  return Object.fromEntries(
    tickable(reader, sectionOf(reader, section)).filter(([key]) => !answerOf(reader, key)),
  )
}

/** item → "" for what the last tick of the section answered; {} while a tick has work left. */
export function untickOf(file, packs, section) {
  const reader = bare(file, packs)
  const writes = tickable(reader, sectionOf(reader, section)).map(([key]) => [
    key,
    winner(reader.record, `answer.${key}`),
  ])
  if (!writes.every(([, write]) => write?.value)) return {}
  const last = Math.max(0, ...writes.map(([, write]) => write.seq))
  return Object.fromEntries(
    writes.filter(([, write]) => write.seq === last).map(([key]) => [key, '']),
  )
}

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

function musts(reader) {
  const {items, sections} = reader.structure
  return sections
    .filter(({key}) => key !== 's01' && key !== 's14')
    .flatMap(section =>
      section.items
        .filter(
          key =>
            items[key].must &&
            key !== READ_BACK_ITEM &&
            answerable(key, items[key], reader.record.kind) &&
            !answerOf(reader, key),
        )
        .map(key => ({
          key,
          section: section.key,
          number: numberOf(key),
          ...pair(reader, 'label', `${key}.label`),
        })),
    )
}

/** Keys of the must-items of 3.2–3.13 that nobody has answered, in the guide's order. */
export const mustOpen = (file, packs) => musts(bare(file, packs)).map(one => one.key)

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
  const pressed = answers.find(one => one.pressed)
  const offered = given && own(item.follow_ups, given) ? item.follow_ups[given] : {}
  const mine = rows => rows.filter(one => one.item === key)
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
 * @param {VisitFile} file @param {Names} people @returns {object}
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
    visitors: valueIn(record, 'visitors', []).map(one => people[one] ?? one),
    language: languageView(valueIn(record, 'language') || (tenancy.language ?? '') || ORIGINAL),
    language_chosen: valueIn(record, 'language') !== '',
  }
}

/**
 * One visit without its items: head, sections with progress, and all that has grown.
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages
 * @param {Names} people @param {Status} status @returns {object}
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
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages
 * @param {Names} people @param {Status} status @param {string} section @returns {object}
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

/** `visitView` plus `detail`: every section with its items (the read-back). */
export function summaryView(file, packs, languages, people, status) {
  return {
    ...visitView(file, packs, languages, people, status),
    detail: packs[ORIGINAL].sections.map(one =>
      sectionView(file, packs, languages, people, status, one.key),
    ),
  }
}

/** One consent to be asked for, with `recipient` in its text. */
export function consentView(file, packs, languages, people, purpose, recipient) {
  const reader = readerOf(file, packs, languages, people, {})
  const found = consentViews(reader).find(one => one.purpose === purpose)
  if (!found) throw new Error(`no consent ${purpose}`)
  return {...found, recipient, ...consentText(reader, purpose, recipient)}
}

/**
 * The parts of a notice (title first), each in both languages; [] where there is no such notice.
 * @param {VisitFile} file @param {Packs} packs @param {Languages} languages @param {string} key
 * @returns {object[]}
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
