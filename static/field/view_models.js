/**
 * Visit records as the plain values that templates/shared accept; twin of pwa/view_models.py.
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
import {conflictsOf, consentsOf, winner} from './apply.js'
import {fill} from './guide_text.js'

export const ORIGINAL = 'sv'

/** tag → [name in the language itself, direction] */
export const LANGUAGES = {
  sv: ['svenska', 'ltr'],
  en: ['English', 'ltr'],
  ar: ['العربية', 'rtl'],
  so: ['Soomaali', 'ltr'],
  ti: ['ትግርኛ', 'ltr'],
  'fa-AF': ['دری', 'rtl'],
  fa: ['فارسی', 'rtl'],
  uk: ['українська', 'ltr'],
  ckb: ['کوردیی سۆرانی', 'rtl'],
  kmr: ['Kurmancî', 'ltr'],
  tr: ['Türkçe', 'ltr'],
  bs: ['bosanski', 'ltr'],
  sq: ['shqip', 'ltr'],
  ps: ['پښتو', 'rtl'],
}

const TICK_ANSWERS = ['done', 'given', 'informed', 'shown', 'ok']
export const READ_BACK_ITEM = 'i67'
const NUMBER = /\+?[0-9][0-9 .,:/–-]*[0-9]/g

const own = (object, key) => Object.hasOwn(object, key)

/** `text` with each number that has inner spaces or marks isolated as left-to-right. */
export const isolate = (text) => text.replace(NUMBER, (found) => `\u2066${found}\u2069`)

/** {tag, name, dir} of a language; an unknown tag is its own name, left to right. */
export function languageView(tag) {
  const [name, dir] = own(LANGUAGES, tag) ? LANGUAGES[tag] : [tag, 'ltr']
  return {tag, name, dir}
}

/** 1 (Monday) to 7 (Sunday) of "2026-12-01"; 0 for "". */
export const weekdayOf = (day) => (day ? new Date(`${day}T00:00:00Z`).getUTCDay() || 7 : 0)

const valueOf = (record, field, otherwise = '') => winner(record, field)?.value ?? otherwise

function readerOf(file, packs, languages, people, status) {
  return {...file, packs, ...languages, people, status, structure: packs[ORIGINAL]}
}

// --- texts

function textOf(reader, language, key, extra = {}) {
  for (const tag of [language, ORIGINAL]) {
    const pack = reader.packs[tag]
    if (pack && own(pack.texts, key)) {
      const text = fill(pack.texts[key], {...reader.settings, ...extra}, pack.texts.ask_landlord ?? '')
      const {dir} = languageView(tag)
      return {text: dir === 'rtl' ? isolate(text) : text, tag, dir, state: pack.states[key] ?? pack.state}
    }
  }
  return {text: '', tag: ORIGINAL, dir: 'ltr', state: 'original'}
}

function pair(reader, name, key, extra = {}) {
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
  }
}

function answerKey(reader, item, code) {
  const key = `${item}.answer.${code}`
  return own(reader.structure.texts, key) ? key : `answer.${code}`
}

const itemLabel = (reader, item) => (item ? textOf(reader, reader.staff, `${item}.label`).text : '')

function stamp(reader, entry) {
  return {
    by: reader.people[entry.by] ?? '',
    date: entry.at.slice(0, 10),
    time: entry.at.slice(11, 16),
    status: reader.status[entry.op ?? entry.id ?? ''] ?? '',
  }
}

// --- items and sections

const answerOf = (reader, item) => valueOf(reader.record, `answer.${item}`)
const numberOf = (item) => Number(item.slice(1))

/** Whether a visitor answers this item in a visit of this kind. */
export function answerable(item, kind) {
  if (item.set_by === 'revisit') return kind === 'revisit'
  return item.set_by === 'visitor' || item.set_by === 'booking'
}

/** The answer a section tick gives this item, or "" where it needs its own. */
export function tickAnswer(item) {
  if (!['explain', 'do'].includes(item.kind) || item.tally) return ''
  return TICK_ANSWERS.find((code) => item.answers.includes(code)) ?? ''
}

function sectionOf(reader, key) {
  const found = reader.structure.sections.find((one) => one.key === key)
  if (!found) throw new Error(`no section ${key}`)
  return found
}

function tickable(reader, section) {
  return section.items
    .filter((key) => answerable(reader.structure.items[key], reader.record.kind) && key !== READ_BACK_ITEM)
    .map((key) => [key, tickAnswer(reader.structure.items[key])])
    .filter(([, answer]) => answer)
}

const bare = (file, packs) => readerOf(file, packs, {staff: ORIGINAL, tenant: ORIGINAL}, {}, {})

/** item → answer of the section tick: every tickable item that has no answer yet. */
export function tickOf(file, packs, section) {
  const reader = bare(file, packs)
  return Object.fromEntries(
    tickable(reader, sectionOf(reader, section)).filter(([key]) => !answerOf(reader, key)))
}

/** item → "" for what the last tick of the section answered; {} while a tick has work left. */
export function untickOf(file, packs, section) {
  const reader = bare(file, packs)
  const writes = tickable(reader, sectionOf(reader, section))
    .map(([key]) => [key, winner(reader.record, `answer.${key}`)])
  if (!writes.every(([, write]) => write?.value)) return {}
  const last = Math.max(0, ...writes.map(([, write]) => write.seq))
  return Object.fromEntries(writes.filter(([, write]) => write.seq === last).map(([key]) => [key, '']))
}

function sectionHead(reader, section, openMusts) {
  const {items} = reader.structure
  const asked = section.items
    .filter((key) => answerable(items[key], reader.record.kind) && !items[key].tally)
  return {
    key: section.key,
    number: section.number,
    ...pair(reader, 'heading', `${section.key}.title`),
    answered: asked.filter((key) => answerOf(reader, key)).length,
    total: asked.length,
    must_open: openMusts.filter((one) => one.section === section.key).length,
  }
}

function musts(reader) {
  const {items, sections} = reader.structure
  return sections
    .filter(({key}) => key !== 's01' && key !== 's14')
    .flatMap((section) => section.items
      .filter((key) => items[key].must && key !== READ_BACK_ITEM &&
        answerable(items[key], reader.record.kind) && !answerOf(reader, key))
      .map((key) => ({
        key, section: section.key, number: numberOf(key), ...pair(reader, 'label', `${key}.label`),
      })))
}

/** Keys of the must-items of 3.2–3.13 that nobody has answered, in the guide's order. */
export const mustOpen = (file, packs) => musts(bare(file, packs)).map((one) => one.key)

function itemView(reader, key, all) {
  const item = reader.structure.items[key]
  const write = winner(reader.record, `answer.${key}`)
  const given = answerOf(reader, key)
  const label = pair(reader, 'label', `${key}.label`)
  const explain = pair(reader, 'explain', `${key}.explain`)
  const answers = item.answers.map((code) => ({
    code, pressed: code === given, ...pair(reader, 'label', answerKey(reader, key, code)),
  }))
  const pressed = answers.find((one) => one.pressed)
  const offered = (given && own(item.follow_ups, given)) ? item.follow_ups[given] : {}
  const mine = (rows) => rows.filter((one) => one.item === key)
  return {
    key,
    section: item.section,
    number: numberOf(key),
    kind: item.kind,
    must: item.must,
    free_text: item.free_text,
    tally: item.tally,
    answerable: answerable(item, reader.record.kind),
    pictogram: item.pictogram ?? '',
    verify: item.law?.verify ?? false,
    law_as_of: item.law?.as_of ?? '',
    ...label,
    ...explain,
    machine: label.label_machine || explain.explain_machine,
    missing: label.label_missing || explain.explain_missing,
    answers,
    answer: given,
    answered: pressed ? pressed.label : given,
    answered_tenant: pressed ? pressed.label_tenant : '',
    ...(write ? stamp(reader, write) : {by: '', date: '', time: '', status: ''}),
    offer_queue: offered.queue ?? '',
    offer_urgency: offered.urgency ?? '',
    conflict: all.conflicts.find((one) => one.item === key)?.rows ?? [],
    notes: mine(all.notes),
    follow_ups: mine(all.followUps),
    points: mine(all.points),
  }
}

// --- what has grown

const notesOf = (reader) => reader.record.notes.map((one) => ({
  id: one.id,
  item: one.item,
  label: itemLabel(reader, one.item),
  text: one.text,
  retracted: one.retracted,
  ...stamp(reader, one),
}))

const followUpsOf = (reader) => reader.record.follow_ups.map((one) => ({
  id: one.id,
  item: one.item,
  label: itemLabel(reader, one.item),
  queue: one.queue,
  urgency: one.urgency,
  text: one.text,
  retracted: one.retracted,
  done: one.answers.at(-1)?.done ?? false,
  answers: one.answers.map((answer) => ({text: answer.text, done: answer.done, ...stamp(reader, answer)})),
  ...stamp(reader, one),
}))

const attemptsOf = (reader) => reader.record.attempts.map((one) => ({
  outcome: one.outcome,
  new_date: one.date ?? '',
  new_weekday: weekdayOf(one.date ?? ''),
  new_time: one.time ?? '',
  ...stamp(reader, one),
}))

const pointsOf = (reader, review) => (review.points ?? []).map((point) => ({
  item: point.item,
  section: own(reader.structure.items, point.item) ? reader.structure.items[point.item].section : '',
  label: itemLabel(reader, point.item),
  text: point.text,
}))

const reviewsOf = (reader) => reader.record.reviews.map((one) => ({
  decision: one.decision,
  comment: one.comment ?? '',
  points: pointsOf(reader, one),
  ...stamp(reader, one),
}))

const openPoints = (reader) =>
  (reader.state === 'returned' ? pointsOf(reader, reader.record.reviews.at(-1)) : [])

const itemOf = (field) => (field.startsWith('answer.') ? field.slice('answer.'.length) : '')

function valueLabel(reader, field, value) {
  const item = itemOf(field)
  if (item) return value ? textOf(reader, reader.staff, answerKey(reader, item, value)).text : ''
  if (field === 'language') return languageView(value).name
  if (field === 'visitors') return value.map((one) => reader.people[one] ?? one).join(', ')
  return String(value)
}

const conflictViews = (reader) => Object.entries(conflictsOf(reader.record)).map(([field, writes]) => ({
  field,
  item: itemOf(field),
  label: itemLabel(reader, itemOf(field)),
  rows: writes.map((one) => ({
    value: Array.isArray(one.value) ? one.value.join(',') : one.value,
    label: valueLabel(reader, field, one.value),
    chosen: one === writes.at(-1),
    ...stamp(reader, one),
  })),
}))

// --- consents

const consentEvent = (reader, one) => ({
  id: one.id,
  decision: one.decision,
  language: one.language ? languageView(one.language).name : '',
  text_version: one.text_version ?? '',
  text_state: one.text_state ?? '',
  recipient: one.recipient ?? '',
  given_by: one.given_by ?? '',
  method: one.method ?? '',
  attested: one.attested ?? false,
  interpreter: one.interpreter ?? '',
  expires: one.expires ?? '',
  signature: one.signature ?? '',
  channel: one.channel ?? '',
  ...stamp(reader, one),
})

function consentText(reader, purpose, recipient) {
  const named = {recipient: recipient || '…'}
  const shown = textOf(reader, reader.tenant, `${purpose}.text`, named)
  return {
    ...pair(reader, 'text', `${purpose}.text`, named),
    shown: shown.text,
    shown_tag: shown.tag,
    shown_state: shown.state,
  }
}

function consentViews(reader) {
  const decided = consentsOf(reader.record)
  return Object.entries(reader.structure.consents).map(([purpose, consent]) => {
    const history = reader.record.consents
      .filter((one) => one.purpose === purpose)
      .map((one) => consentEvent(reader, one))
    const event = own(decided, purpose) ? consentEvent(reader, decided[purpose]) : {}
    const recipient = history.findLast((one) => one.recipient)?.recipient ?? ''
    return {
      purpose,
      number: numberOf(purpose),
      named: consent.recipient === 'named',
      recipient,
      decision: event.decision ?? '',
      event,
      history,
      ...pair(reader, 'heading', `${purpose}.title`),
      ...consentText(reader, purpose, recipient),
    }
  }).sort((a, b) => a.number - b.number)
}

// --- the views

/**
 * Where, when, who: the top of a visit, and its line in a list.
 * @param {VisitFile} file @param {Names} people @returns {object}
 */
export function headView(file, people) {
  const {record, tenancy} = file
  const address = tenancy.street ?? ''
  const place = [tenancy.postcode ?? '', tenancy.city ?? ''].filter(Boolean).join(' ')
  const date = valueOf(record, 'date')
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
    time: valueOf(record, 'time'),
    names: [...(tenancy.tenants ?? [])],
    phones: (tenancy.phones ?? []).map((one) => ({
      label: one.original || one.e164, href: one.e164 ? `tel:${one.e164}` : '',
    })),
    map_href: address ? `geo:0,0?q=${encodeURIComponent([address, place].filter(Boolean).join(', '))}` : '',
    visitors: valueOf(record, 'visitors', []).map((one) => people[one] ?? one),
    language: languageView(valueOf(record, 'language') || (tenancy.language ?? '') || ORIGINAL),
    language_chosen: valueOf(record, 'language') !== '',
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
    sections: reader.structure.sections.map((one) => sectionHead(reader, one, open)),
    must_open: open,
    notes: notesOf(reader),
    follow_ups: followUpsOf(reader),
    attempts: attemptsOf(reader),
    consents: consentViews(reader),
    reviews: reviewsOf(reader),
    points: openPoints(reader),
    conflicts: conflictViews(reader),
    late: reader.record.late.length,
    changed: reader.state === 'changed',
    closed: valueOf(reader.record, 'closed') === 'yes',
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
    followUps: followUpsOf(reader),
  }
  return {
    ...sectionHead(reader, found, musts(reader)),
    rows: found.items.map((key) => itemView(reader, key, all)),
    can_tick: Object.keys(tickOf(file, packs, section)).length > 0,
    can_untick: Object.keys(untickOf(file, packs, section)).length > 0,
  }
}

/** `visitView` plus `detail`: every section with its items (the read-back). */
export function summaryView(file, packs, languages, people, status) {
  return {
    ...visitView(file, packs, languages, people, status),
    detail: packs[ORIGINAL].sections
      .map((one) => sectionView(file, packs, languages, people, status, one.key)),
  }
}

/** One consent to be asked for, with `recipient` in its text. */
export function consentView(file, packs, languages, people, purpose, recipient) {
  const reader = readerOf(file, packs, languages, people, {})
  const found = consentViews(reader).find((one) => one.purpose === purpose)
  if (!found) throw new Error(`no consent ${purpose}`)
  return {...found, recipient, ...consentText(reader, purpose, recipient)}
}
