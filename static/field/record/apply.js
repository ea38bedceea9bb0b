// What an operation does to a visit record; twin of sync/apply.py, where the reasons are given.
// Invariant (I4, I5): equal logs give equal records in both languages (sync/vectors/apply), and
// no argument is ever changed. No clock and no rights: those would differ between phone and server.

import {KINDS} from '../../build/constants.js'

/** @import {Consent, Entry, Operation, VisitRecord, Write} from './shapes.d.ts' */

// Attempts without an answer before a visit counts as not reached (docs/domain.md 3.1, item 2).
const NOT_HOME_MAX = 3

/** @type {Record<string, 'notes'|'photos'|'follow_ups'|'attempts'|'consents'|'reviews'>} */
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

/** @param {object} object @param {string} key */
const own = (object, key) => Object.hasOwn(object, key)
/** @param {{seq: number}} a @param {{seq: number}} b */
const bySeq = (a, b) => a.seq - b.seq
/** @param {{device_seq: number}} a @param {{device_seq: number}} b */
const byDeviceSeq = (a, b) => a.device_seq - b.device_seq

/**
 * An empty visit record.
 * @param {string} id @param {string} tenancy @param {string} kind @returns {VisitRecord}
 */
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
 * @param {VisitRecord|null} record @param {Operation} operation about a visit @param {number} seq
 * @returns {VisitRecord} a new one
 */
export const apply = (record, operation, seq) =>
  applyInPlace(structuredClone(record), operation, seq)

/**
 * As `apply` for several operations in order, numbered from `seq`: one copy for all of them.
 * @param {VisitRecord|null} record @param {Operation[]} operations @param {number} seq
 * @returns {VisitRecord|null}
 */
export function fold(record, operations, seq) {
  if (operations.length === 0) return record
  let made = structuredClone(record)
  for (const [n, operation] of operations.entries()) made = applyInPlace(made, operation, seq + n)
  return made
}

/**
 * @param {VisitRecord|null} known @param {Operation} operation @param {number} seq
 * @returns {VisitRecord}
 */
function applyInPlace(known, operation, seq) {
  const {kind, data, subject} = operation
  if (subject.type !== 'visit') throw new TypeError(`${kind} is not about a visit`)
  const record = known ?? newVisit(subject.id, data.tenancy ?? '', data.kind ?? 'contact')
  if (record.id !== subject.id) throw new TypeError(`${kind} is about another visit`)
  record.photos ??= []
  // The desk says whose home a visit was that was opened at a door without one.
  if (kind === 'visit.plan' && !record.tenancy) record.tenancy = data.tenancy
  const cells = cellsOf(operation, known === null)
  for (const [field, value] of Object.entries(cells))
    write(record.cells, field, value, operation, seq)
  grow(record, operation, seq)
  if (own(cells, 'visitors')) record.assignments.push({seq, visitors: [...cells.visitors]})
  if (KINDS[kind].content) countContent(record, operation, seq)
  record.seq = Math.max(record.seq, seq)
  return record
}

/**
 * Field → value that an operation writes.
 * @param {Operation} operation @param {boolean} isNew it is the visit's first
 * @returns {Record<string, any>}
 */
function cellsOf({kind, data, by}, isNew) {
  const cells = ownCellsOf(kind, data, isNew ? [by] : null)
  if (data.guide) cells.guide = data.guide
  return cells
}

/**
 * @param {string} kind @param {any} data
 * @param {string[]|null} opener who becomes its visitor by opening it; null: it was there before
 * @returns {Record<string, any>}
 */
function ownCellsOf(kind, data, opener) {
  switch (kind) {
    case 'visit.assign':
      return Object.fromEntries(
        ['visitors', 'date', 'time'].filter(key => own(data, key)).map(key => [key, data[key]]),
      )
    case 'visit.open':
      return {...(opener && {visitors: opener}), ...(data.language && {language: data.language})}
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

/**
 * @param {Record<string, Write[]>} cells @param {string} field @param {any} value
 * @param {Operation} operation @param {number} seq
 */
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

/**
 * Put an operation into the list it belongs to.
 * @param {VisitRecord} record @param {Operation} operation @param {number} seq
 */
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
  const lists = /** @type {Record<string, any[]>} */ (/** @type {unknown} */ (record))
  lists[name] = inOrder([...lists[name], entry])
  if (name === 'photos' || name === 'consents') record.blobs = blobsOf(record)
}

/** @param {VisitRecord} record @param {string} target id of the operation to strike out */
function retract(record, target) {
  if (!record.retracted.includes(target)) {
    record.retracted.push(target)
    record.retracted.sort()
  }
  for (const entry of [...record.notes, ...record.photos, ...record.follow_ups])
    if (entry.id === target) blank(entry)
  record.blobs = blobsOf(record)
}

/** @param {Operation} operation @param {number} seq @returns {any} an entry of a list */
function entryOf({id, kind, by, at, device, device_seq, base, data}, seq) {
  // Only what this version of the kind knows: more stays in the bytes, on both sides alike.
  const known = Object.fromEntries(
    KINDS[kind].fields.filter(key => own(data, key)).map(key => [key, structuredClone(data[key])]),
  )
  return {...known, id, by, at, seq, device, device_seq, base}
}

/**
 * By seq; the places that one device holds are filled in its own order, so that batches that
 * were swapped on the way give one list.
 * @template {Entry} T @param {T[]} entries sorted in place @returns {T[]}
 */
function inOrder(entries) {
  entries.sort(bySeq)
  /** @type {Map<string, T[]>} */
  const queues = new Map()
  for (const one of entries) queues.set(one.device, [...(queues.get(one.device) ?? []), one])
  for (const queue of queues.values()) queue.sort(byDeviceSeq)
  return entries.map(one => /** @type {T} */ (queues.get(one.device)?.shift()))
}

/** @param {{text?: string, retracted: boolean}} entry */
function blank(entry) {
  if ('text' in entry) entry.text = ''
  entry.retracted = true
}

/** @param {VisitRecord} record @returns {string[]} hashes of the signatures and photos it names */
function blobsOf({consents, photos}) {
  const live = photos.filter(one => !one.retracted)
  const signatures = consents.map(one => one.signature ?? '')
  return [...new Set([...signatures, ...live.map(one => one.photo)])].filter(Boolean).sort()
}

/**
 * Remember which content a review has to look at.
 * @param {VisitRecord} record @param {Operation} operation @param {number} seq
 */
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

/**
 * The write that counts for `field`, or null; for `guide` the earliest counts.
 * @param {VisitRecord} record @param {string} field @returns {Write|null}
 */
export function winner(record, field) {
  const writes = own(record.cells, field) ? record.cells[field] : []
  return (field === 'guide' ? writes[0] : writes.at(-1)) ?? null
}

/**
 * The value that counts for `field`.
 * @param {VisitRecord} record @param {string} field @param {any} [otherwise] @returns {any}
 */
export const valueIn = (record, field, otherwise = '') => winner(record, field)?.value ?? otherwise

/** @param {any} a @param {any} b */
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b)

/**
 * field → the writes in open conflict, the one that counts last; {} when none.
 * @param {VisitRecord} record @returns {Record<string, Write[]>}
 */
export function conflictsOf(record) {
  /** @type {Record<string, Write[]>} */
  const found = {}
  for (const field of Object.keys(record.cells).sort()) {
    const writes = record.cells[field]
    const top = writes[writes.length - 1]
    const unseen = writes.filter(one => one.seq > top.base && !same(one.value, top.value))
    if (unseen.length > 0 && field !== 'guide') found[field] = [...unseen, top]
  }
  return found
}

/**
 * purpose → the decision that counts, the most restrictive of those nothing supersedes.
 * @param {VisitRecord} record @returns {Record<string, Consent>}
 */
export function consentsOf(record) {
  /** @type {Map<string, Consent[]>} a purpose is a name from the wire: no key of a plain object */
  const byPurpose = new Map()
  for (const entry of record.consents)
    byPurpose.set(entry.purpose, [...(byPurpose.get(entry.purpose) ?? []), entry])
  return Object.fromEntries(
    [...byPurpose].map(([purpose, group]) => [purpose, mostRestrictive(headsOf(group))]),
  )
}

/**
 * The decision that counts for one purpose, or null where nobody was asked.
 * @param {VisitRecord} record @param {string} purpose @returns {Consent|null}
 */
export function consentOf(record, purpose) {
  const found = consentsOf(record)
  return own(found, purpose) ? found[purpose] : null
}

/**
 * An author is one person on one device: what a colleague has saved on the same phone and not sent
 * is hidden there.
 * @param {{device: string, by: string}} one @param {{device: string, by: string}} other
 */
const isAuthor = (one, other) => one.device === other.device && one.by === other.by

/**
 * Whether the author of `later` knew of `earlier`. `alone`: it is not known that they were shown
 * what others decided (an ambassador is not), so it supersedes no other person's.
 * @param {Consent} later @param {Consent} earlier
 */
const saw = (later, earlier) =>
  isAuthor(later, earlier)
    ? later.device_seq > earlier.device_seq
    : later.base >= earlier.seq && !(later.alone && later.by !== earlier.by)

/**
 * The decisions that nothing supersedes. Where each seems to have seen the other, after a restore
 * by another tool, all of them count.
 * @param {Consent[]} group @returns {Consent[]}
 */
function headsOf(group) {
  const heads = group.filter(one => !group.some(another => another !== one && saw(another, one)))
  return heads.length > 0 ? heads : group
}

/** @param {Consent[]} heads @returns {Consent} */
function mostRestrictive(heads) {
  const rank = {yes: 0, no: 1, withdrawn: 2}
  return heads.reduce((top, one) =>
    (rank[one.decision] - rank[top.decision] || one.seq - top.seq) > 0 ? one : top,
  )
}

/**
 * The visit's state: the table in PROTOCOL.md section 2, first row that fits.
 * @param {VisitRecord} record @returns {string}
 */
export function stateOf(record) {
  const closed = winner(record, 'closed')
  const last = record.reviews.at(-1)
  if (valueIn(record, 'cancelled') === 'yes') return 'cancelled'
  if (last?.decision === 'approve') return record.content_seq > last.base ? 'changed' : 'approved'
  if (last && (closed?.value !== 'yes' || closed.base < last.seq)) return 'returned'
  return closed?.value === 'yes' ? 'done' : stateBeforeClose(record)
}

/** @param {VisitRecord} record @returns {string} */
function stateBeforeClose(record) {
  const attempt = winner(record, 'attempt')
  const date = winner(record, 'date')
  const datedAfter = attempt !== null && isAfter(date, attempt)
  if (attempt?.value === 'declined' && !datedAfter) {
    const last = own(record.content, attempt.device) ? record.content[attempt.device] : null
    if (!last || last.device_seq < attempt.device_seq) return 'declined'
  }
  if (Object.keys(record.content).length > 0) return 'started'
  // A rebooking is an attempt too, and the date it writes has its own number.
  const notHome = record.attempts.filter(one => one.outcome === 'not_home')
  if (notHome.length >= NOT_HOME_MAX && !notHome.every(one => isAfter(date, one)))
    return 'not_reached'
  return date && date.value !== '' ? 'booked' : 'planned'
}

/**
 * Whether `date` was written after `attempt`, by the device's own numbers where one device wrote
 * both, because what it wrote first can arrive last (I4).
 * @param {{device: string, device_seq: number, seq: number}|null} date
 * @param {{device: string, device_seq: number, seq: number}} attempt
 */
function isAfter(date, attempt) {
  if (!date) return false
  return date.device === attempt.device
    ? date.device_seq > attempt.device_seq
    : date.seq > attempt.seq
}
