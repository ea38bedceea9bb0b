// What an operation does to a visit record; twin of sync/apply.py, where each why stands.
// Invariant (I4, I5): equal logs give equal records in both languages (sync/vectors/apply), and
// no argument is ever changed. It looks at no clock, checks no rights and forgets no value.

import {KINDS} from './operations.js'

/** @typedef {{value: any, seq: number, op: string, by: string, at: string, device: string, device_seq: number, base: number}} Write */
/** @typedef {Record<string, any>} VisitRecord */

const NOT_HOME_MAX = 3 // attempts without an answer before a visit counts as not reached (domain 3.1, item 2)

const LISTS = {
  'visit.note': 'notes',
  'visit.photo': 'photos',
  'visit.follow_up': 'follow_ups',
  'visit.attempt': 'attempts',
  'visit.consent': 'consents',
  'visit.withdraw': 'consents',
  'visit.approve': 'reviews',
  'visit.return': 'reviews',
}

const own = (object, key) => Object.hasOwn(object, key)
const bySeq = (a, b) => a.seq - b.seq
const byDeviceSeq = (a, b) => a.device_seq - b.device_seq

/** An empty visit record. @param {string} id @param {string} tenancy @param {string} kind @returns {VisitRecord} */
export const newVisit = (id, tenancy, kind) => ({
  type: 'visit',
  id,
  seq: 0,
  tenancy,
  kind,
  cells: {},
  notes: [],
  photos: [],
  follow_ups: [],
  attempts: [],
  consents: [],
  reviews: [],
  assignments: [],
  retracted: [],
  late: [],
  content: {},
  content_seq: 0,
  blobs: [],
})

/**
 * The record after `operation` took effect as number `seq`.
 * @param {VisitRecord|null} record @param {any} operation an envelope about a visit @param {number} seq
 * @returns {VisitRecord} a new one
 */
export const apply = (record, operation, seq) =>
  applyInPlace(structuredClone(record), operation, seq)

/** As `apply` for several operations in order, numbered from `seq`: one copy for all of them.
 * @param {VisitRecord|null} record @param {any[]} operations @param {number} seq @returns {VisitRecord|null} */
export function fold(record, operations, seq) {
  if (operations.length === 0) return record
  return operations.reduce(
    (one, operation, n) => applyInPlace(one, operation, seq + n),
    structuredClone(record),
  )
}

function applyInPlace(known, operation, seq) {
  const {kind, data, subject} = operation
  if (subject.type !== 'visit') throw new TypeError(`${kind} is not about a visit`)
  const record = known ?? newVisit(subject.id, data.tenancy ?? '', data.kind ?? 'contact')
  if (record.id !== subject.id) throw new TypeError(`${kind} is about another visit`)
  record.photos ??= []
  if (kind === 'visit.plan' || kind === 'visit.open') {
    record.tenancy = data.tenancy || record.tenancy
    record.kind = data.kind
  }
  const cells = cellsOf(operation)
  for (const [field, value] of Object.entries(cells))
    write(record.cells, field, value, operation, seq)
  grow(record, operation, seq)
  if (own(cells, 'visitors')) record.assignments.push({seq, visitors: [...cells.visitors]})
  if (KINDS[kind].content) countContent(record, operation, seq)
  record.seq = Math.max(record.seq, seq)
  return record
}

function cellsOf({kind, data, by}) {
  const cells = ownCellsOf(kind, data, by)
  if (data.guide) cells.guide = data.guide
  return cells
}

function ownCellsOf(kind, data, by) {
  switch (kind) {
    case 'visit.assign':
      return Object.fromEntries(
        ['visitors', 'date', 'time'].filter(key => own(data, key)).map(key => [key, data[key]]),
      )
    case 'visit.open':
      return data.language ? {visitors: [by], language: data.language} : {visitors: [by]}
    case 'visit.language':
      return {language: data.language}
    case 'visit.answer':
      return {[`answer.${data.item}`]: data.answer}
    case 'visit.tick':
      return Object.fromEntries(
        Object.entries(data.answers).map(([item, answer]) => [`answer.${item}`, answer]),
      )
    case 'visit.attempt':
      return data.outcome === 'rebooked'
        ? {attempt: data.outcome, date: data.date ?? '', time: data.time ?? ''}
        : {attempt: data.outcome}
    case 'visit.close':
      return {closed: 'yes'}
    case 'visit.reopen':
      return {closed: 'no'}
    case 'visit.cancel':
      return {cancelled: 'yes'}
    case 'visit.choose':
      return {[data.field]: data.value}
    default:
      return {}
  }
}

function write(cells, field, value, {id, by, at, device, device_seq, base}, seq) {
  if (!own(cells, field)) cells[field] = []
  const writes = cells[field]
  const known = writes.findIndex(one => isAuthor(one, {device, by}))
  if (known >= 0) {
    const earlier = writes[known].device_seq
    if (field === 'guide' ? earlier <= device_seq : earlier >= device_seq) return
    writes.splice(known, 1)
  }
  writes.push({value, seq, op: id, by, at, device, device_seq, base})
  writes.sort(bySeq)
}

function grow(record, operation, seq) {
  const {kind, data, id} = operation
  if (kind === 'visit.retract') return retract(record, data.operation)
  if (kind === 'follow_up.answer') {
    const entry = record.follow_ups.find(one => one.id === data.follow_up)
    if (entry) entry.answers = inOrder([...entry.answers, entryOf(operation, seq)])
    return
  }
  if (!own(LISTS, kind)) return
  const name = LISTS[kind]
  const entry = entryOf(operation, seq)
  if (['notes', 'photos', 'follow_ups'].includes(name)) {
    entry.retracted = false
    if (name === 'follow_ups') entry.answers = []
    if (record.retracted.includes(id)) blank(entry)
  } else if (kind === 'visit.withdraw') {
    entry.decision = 'withdrawn'
  } else if (name === 'reviews') {
    entry.decision = kind.slice('visit.'.length)
  }
  record[name] = inOrder([...record[name], entry])
  if (name === 'photos' || name === 'consents') record.blobs = blobsOf(record)
}

function retract(record, target) {
  if (!record.retracted.includes(target)) {
    record.retracted.push(target)
    record.retracted.sort()
  }
  for (const entry of [...record.notes, ...record.photos, ...record.follow_ups])
    if (entry.id === target) blank(entry)
  record.blobs = blobsOf(record)
}

function entryOf({id, kind, by, at, device, device_seq, base, data}, seq) {
  // Only what this version of the kind knows: more stays in the bytes, on both sides alike.
  const known = Object.fromEntries(
    KINDS[kind].fields.filter(key => own(data, key)).map(key => [key, structuredClone(data[key])]),
  )
  return {...known, id, by, at, seq, device, device_seq, base}
}

/** By seq; the places that one device holds are filled in its own order (swapped batches give one list). */
function inOrder(entries) {
  entries.sort(bySeq)
  const queues = new Map()
  for (const one of entries) queues.set(one.device, [...(queues.get(one.device) ?? []), one])
  for (const queue of queues.values()) queue.sort(byDeviceSeq)
  return entries.map(one => queues.get(one.device).shift())
}

function blank(entry) {
  if ('text' in entry) entry.text = ''
  entry.retracted = true
}

function blobsOf({consents, photos}) {
  const live = photos.filter(one => !one.retracted)
  return [...new Set([...consents.map(one => one.signature), ...live.map(one => one.photo)])]
    .filter(Boolean)
    .sort()
}

function countContent(record, {kind, device, device_seq}, seq) {
  const last = own(record.content, device) ? record.content[device] : null
  if (
    kind !== 'visit.attempt' &&
    kind !== 'visit.language' &&
    (!last || device_seq > last.device_seq)
  ) {
    record.content[device] = {device_seq, seq}
  }
  record.content_seq = Math.max(record.content_seq, seq)
}

// --- reading a record

/** The write that counts for `field`, or null; for `guide` the earliest counts.
 * @param {VisitRecord} record @param {string} field @returns {Write|null} */
export function winner(record, field) {
  const writes = own(record.cells, field) ? record.cells[field] : []
  return (field === 'guide' ? writes[0] : writes.at(-1)) ?? null
}

/** The value that counts for `field`. @param {VisitRecord} record @param {string} field @param {any} [otherwise] */
export const valueIn = (record, field, otherwise = '') => winner(record, field)?.value ?? otherwise

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

/** field → the writes in open conflict, the one that counts last; {} when none.
 * @param {VisitRecord} record @returns {Record<string, Write[]>} */
export function conflictsOf(record) {
  const found = {}
  for (const field of Object.keys(record.cells).sort()) {
    const writes = record.cells[field]
    const top = writes.at(-1)
    const unseen = writes.filter(one => one.seq > top.base && !same(one.value, top.value))
    if (unseen.length > 0 && field !== 'guide') found[field] = [...unseen, top]
  }
  return found
}

/** purpose → the decision that counts, the most restrictive of those nothing supersedes.
 * @param {VisitRecord} record @returns {Record<string, any>} */
export function consentsOf(record) {
  const byPurpose = new Map() // a purpose is a name from the wire: no key of a plain object
  for (const entry of record.consents)
    byPurpose.set(entry.purpose, [...(byPurpose.get(entry.purpose) ?? []), entry])
  return Object.fromEntries(
    [...byPurpose].map(([purpose, group]) => [purpose, mostRestrictive(headsOf(group))]),
  )
}

/** The decision that counts for one purpose, or null where nobody was asked.
 * @param {VisitRecord} record @param {string} purpose @returns {any|null} */
export function consentOf(record, purpose) {
  const found = consentsOf(record)
  return own(found, purpose) ? found[purpose] : null
}

// One person on one device. What somebody else has saved on the same phone and not sent is hidden there.
const isAuthor = (one, other) => one.device === other.device && one.by === other.by

// `alone`: its author may not have been shown what others decided (an ambassador is not).
const saw = (later, earlier) =>
  isAuthor(later, earlier)
    ? later.device_seq > earlier.device_seq
    : later.base >= earlier.seq && !(later.alone && later.by !== earlier.by)

// Where each seems to have seen the other, after a restore by foreign tools, none of them has.
function headsOf(group) {
  const heads = group.filter(one => !group.some(another => another !== one && saw(another, one)))
  return heads.length > 0 ? heads : group
}

function mostRestrictive(heads) {
  const rank = {yes: 0, no: 1, withdrawn: 2}
  return heads.reduce((top, one) =>
    (rank[one.decision] - rank[top.decision] || one.seq - top.seq) > 0 ? one : top,
  )
}

/** The visit's state: the table in PROTOCOL.md section 2, first row that fits.
 * @param {VisitRecord} record @returns {string} */
export function stateOf(record) {
  const closed = winner(record, 'closed')
  const last = record.reviews.at(-1)
  if (valueIn(record, 'cancelled') === 'yes') return 'cancelled'
  if (last?.decision === 'approve') return record.content_seq > last.base ? 'changed' : 'approved'
  if (last && (closed?.value !== 'yes' || closed.base < last.seq)) return 'returned'
  return closed?.value === 'yes' ? 'done' : stateBeforeClose(record)
}

function stateBeforeClose(record) {
  const attempt = winner(record, 'attempt')
  const date = winner(record, 'date')
  const datedAfter = attempt !== null && date !== null && date.seq > attempt.seq
  if (attempt?.value === 'declined' && !datedAfter) {
    const last = own(record.content, attempt.device) ? record.content[attempt.device] : null
    if (!last || last.device_seq < attempt.device_seq) return 'declined'
  }
  if (Object.keys(record.content).length > 0) return 'started'
  const tries = record.attempts.filter(one => one.outcome === 'not_home').length
  if (tries >= NOT_HOME_MAX && !datedAfter) return 'not_reached'
  return date && date.value !== '' ? 'booked' : 'planned'
}
