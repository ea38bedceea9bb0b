// The visits as the phone shows them: the server's snapshot with this person's own operations
// replayed on top (PROTOCOL.md 5), and where each operation is. Pure: reads a Memory, changes
// nothing in it. Invariant: what is written on this phone is shown until a snapshot contains it.
// Another person's visits and operations are never shown (docs/design.md 5.6).

import {KINDS, PENDING} from '../../build/constants.js'
import {fold, stateOf} from './apply.js'
import {blobsOf} from './operations.js'

/**
 * @import {Memory, OutboxValue, OwnVisit, Person, Place, Receipt, VisitRecord, VisitValue} from './shapes.d.ts'
 */

/** Key of one person's snapshot of a visit. @param {string} by @param {string} visit */
export const visitKey = (by, visit) => `${by} ${visit}`

/** @param {Memory} memory @returns {Person|null} who is signed in on this phone */
export const personOf = memory => memory.meta.get('person')?.value ?? null

/**
 * Rows of the outbox in the order they were made. What was fetched from an earlier database of
 * this phone was made before everything else here, and counted on other devices.
 * @param {Memory} memory @param {OutboxValue[]} [rows]
 */
export function inOrder(memory, rows = [...memory.outbox.values()]) {
  const own = memory.meta.get('device')?.value.id
  const made = rows.map(row => {
    const {device = own, device_seq: seq = 0} = row.operation ?? {}
    return {row, seq, device: device === own ? '' : device}
  })
  // Other devices in any order, as long as it is always the same, and before this one.
  made.sort((a, b) => (a.device === b.device ? a.seq - b.seq : a.device < b.device ? 1 : -1))
  return made.map(one => one.row)
}

/**
 * Whether somebody on this phone has handed an operation over to the office for its absent author.
 * @param {Memory} memory @param {{id: string}} row @returns {boolean}
 */
export const isHandedOver = (memory, row) =>
  memory.meta.get('handed')?.value.includes(row.id) ?? false

/**
 * Whether the office keeps an operation as it is: nothing more happens to it.
 * @param {Memory} memory @param {{id: string}} row
 */
export function isFiled(memory, row) {
  const receipt = memory.receipts.get(row.id)
  return receipt?.result === 'held' && receipt.problem === 'filed'
}

/**
 * Whether the server has an operation (in its log or held list) and the blobs it names.
 * @param {Memory} memory @param {OutboxValue} row
 */
export function isDelivered(memory, row) {
  const result = memory.receipts.get(row.id)?.result
  return (result === 'applied' || result === 'held') && unsentBlobs(memory, row).length === 0
}

/**
 * Blobs of an operation; none of a photo struck out here, whose picture is not sent any more.
 * @param {Memory} memory @param {OutboxValue} row @returns {string[]} hashes
 */
export function blobsNeeded(memory, {id, operation}) {
  const isStruck =
    operation?.kind === 'visit.photo' &&
    [...memory.outbox.values()].some(
      one => one.operation?.kind === 'visit.retract' && one.operation.data.operation === id,
    )
  return operation && !isStruck ? blobsOf(operation) : []
}

/**
 * Blobs of an operation that are on this phone and not known to be on the server.
 * @param {Memory} memory @param {OutboxValue} row @returns {string[]} hashes
 */
export const unsentBlobs = (memory, row) =>
  blobsNeeded(memory, row).filter(
    hash => memory.blobs.has(hash) && memory.receipts.get(hash)?.result !== 'stored',
  )

/** Where an operation is. @param {Memory} memory @param {OutboxValue} row @returns {Place} */
export function whereIs(memory, row) {
  if (problemOf(memory, row)) return 'needs'
  if (isDelivered(memory, row)) return isFiled(memory, row) ? 'filed' : 'sent'
  return row.by === personOf(memory)?.id || isHandedOver(memory, row) ? 'phone' : 'waits'
}

/**
 * Whether nothing more is to happen to an operation.
 * @param {Memory} memory @param {OutboxValue} row
 */
export const isDone = (memory, row) => ['sent', 'filed'].includes(whereIs(memory, row))

/**
 * The receipt that says why an operation needs someone, or null.
 * @param {Memory} memory @param {OutboxValue} row @returns {Receipt|null}
 */
export function problemOf(memory, row) {
  const receipts = [row.id, ...unsentBlobs(memory, row)].map(id => memory.receipts.get(id))
  return (
    receipts.find(
      one => one && one.result !== 'applied' && one.result !== 'stored' && one.problem !== 'filed',
    ) ?? null
  )
}

/**
 * An operation is contained in a snapshot when its number is not above the snapshot's.
 * @param {Memory} memory @param {OutboxValue} row @param {VisitValue|undefined} visit
 */
function isContained(memory, row, visit) {
  const receipt = memory.receipts.get(row.id)
  return receipt?.result === 'applied' && visit !== undefined && receipt.seq <= visit.seq
}

/**
 * The operations a snapshot names, and their numbers.
 * @param {VisitRecord} record of a snapshot @returns {Map<string, number>}
 */
export function operationsIn({
  cells,
  notes,
  photos = [],
  follow_ups: followUps,
  attempts,
  consents,
}) {
  /** @type {Map<string, number>} */
  const found = new Map()
  for (const one of Object.values(cells).flat()) found.set(one.op, one.seq)
  for (const one of [notes, photos, followUps, attempts, consents].flat())
    found.set(one.id, one.seq)
  return found
}

/**
 * Operations of a visit that its snapshot does not contain.
 * @param {Memory} memory @param {VisitValue|undefined} visit
 * @param {OutboxValue[]} rows of this visit
 */
function pendingOf(memory, visit, rows) {
  const open = rows.filter(row => !isContained(memory, row, visit) && !isFiled(memory, row))
  if (open.length === 0 || !visit?.record) return open
  // A pull can overtake the answer to a push, or a supervisor accept what was held: replayed on
  // top of the snapshot that names it, such a note would be shown twice.
  const named = operationsIn(visit.record)
  return open.filter(row => !named.has(row.id))
}

/**
 * The snapshot with `rows` on top, or null where there is nothing to show.
 * @param {Memory} memory @param {string} id @param {VisitValue|undefined} visit
 * @param {OutboxValue[]} rows of this visit, in order @returns {OwnVisit|null}
 */
function fileFrom(memory, id, visit, rows) {
  const pending = pendingOf(memory, visit, rows)
  if (!visit?.record && pending.length === 0) return null
  if (visit?.gone && rows.every(row => isDelivered(memory, row))) return null
  // An app that was put back to an older version may not know a kind it once made.
  const operations = pending
    .map(row => row.operation)
    .filter(one => one !== null)
    .filter(one => Object.hasOwn(KINDS, one.kind))
  const record = fold(visit?.record ?? null, operations, PENDING)
  if (!record) return null
  const status = Object.fromEntries(rows.map(row => [row.id, whereIs(memory, row)]))
  const places = Object.values(status)
  return {
    id,
    record,
    state: stateOf(record),
    status,
    tenancy: visit?.tenancy ?? {},
    settings: visit?.settings ?? {},
    unsent: places.filter(one => one === 'phone').length,
    held: places.filter(one => one === 'needs').length,
  }
}

/**
 * A visit opened at the door gets the address of its tenancy from another visit on this phone.
 * @param {OwnVisit|null} file @param {VisitValue[]} visits @returns {OwnVisit|null}
 */
function lendTenancy(file, visits) {
  if (!file || file.record.tenancy === '' || Object.keys(file.tenancy).length > 0) return file
  const lender = visits.find(
    one => one.record?.tenancy === file.record.tenancy && Object.keys(one.tenancy).length > 0,
  )
  return lender ? {...file, tenancy: lender.tenancy, settings: lender.settings} : file
}

/**
 * One visit of the person signed in, or null. Its values are shared: read, never change.
 * @param {Memory} memory @param {string} id @returns {OwnVisit|null}
 */
export function fileOf(memory, id) {
  const person = personOf(memory)
  if (!person) return null
  // Filtered before it is sorted: this runs at each tap, and the outbox may hold two weeks.
  const rows = inOrder(
    memory,
    [...memory.outbox.values()].filter(row => row.by === person.id && row.visit === id),
  )
  const file = fileFrom(memory, id, memory.visits.get(visitKey(person.id, id)), rows)
  return lendTenancy(file, ownVisits(memory, person))
}

/** @param {Memory} memory @param {Person} person */
const ownVisits = (memory, person) =>
  [...memory.visits.values()].filter(one => one.by === person.id)

/** All visits of the person signed in. @param {Memory} memory @returns {OwnVisit[]} */
export function filesOf(memory) {
  const person = personOf(memory)
  if (!person) return []
  const visits = ownVisits(memory, person)
  /** @type {Map<string, OutboxValue[]>} */
  const rows = new Map(visits.map(one => [one.visit, []]))
  for (const row of inOrder(memory)) {
    if (row.by !== person.id || row.visit === '') continue
    const own = rows.get(row.visit)
    if (own) own.push(row)
    else rows.set(row.visit, [row])
  }
  const files = [...rows].map(([id, own]) =>
    fileFrom(memory, id, memory.visits.get(visitKey(person.id, id)), own),
  )
  return files.map(file => lendTenancy(file, visits)).filter(file => file !== null)
}
