// What may be removed from the phone, and when. Pure: a Memory in, changes out. Invariant (I1): an
// operation is removed only when the server has it and its blobs, a pull has confirmed that
// (confirmation.js), a snapshot shows it (or the visit is gone from this phone), and it is in a
// backup that its author's own pull named, or fourteen days old (the company may set fewer). Of a
// visit that turned out to be protected nothing stays once all of it has arrived, and that is
// reported (health.js). Days are counted by the server's clock, so a phone's wrong clock deletes
// nothing.

import {blobsOf} from '../record/operations.js'
import {blobsNeeded, isDelivered, isFiled, visitKey} from '../record/replay.js'
import {drop, metaChange, put} from '../store/rows.js'
import {confirmedUpTo} from './confirmation.js'

/** @import {Change, Memory, OutboxValue} from '../record/shapes.d.ts' */

/**
 * @typedef {{present: {has(hash: string): boolean}, backup: (person: string) => number,
 *   days: number}} Limits blobs the server has; the number up to which a backup holds a person's
 *   work; days after which a backup is not waited for
 */

const DAY_MS = 86_400_000
const KEPT_DAYS_MAX = 14
const RECEIPT_DAYS = 60

/** @param {string} at @param {number} days @param {Date} now */
const isOlder = (at, days, now) => now.getTime() - Date.parse(at) > days * DAY_MS

/**
 * Whether an operation is no longer needed here.
 * @param {Memory} memory @param {OutboxValue} row @param {Limits} limits @param {Date} now
 */
function mayRemove(memory, row, {backup, days, present}, now) {
  const receipt = memory.receipts.get(row.id)
  // What the office keeps as it is has no number in the log: only days count for it.
  if (receipt && isFiled(memory, row))
    return isDelivered(memory, row) && isOlder(receipt.at, days, now)
  if (receipt?.result !== 'applied' || !isDelivered(memory, row)) return false
  if (receipt.seq > confirmedUpTo(memory, row.by)) return false
  // A backup that was made before a picture came lacks it: what is stored has a number of its own.
  const blobs = row.operation ? blobsOf(row.operation) : []
  const all = [receipt, ...blobs.map(hash => memory.receipts.get(hash))]
  if (all.some(one => one && one.seq > backup(row.by) && !isOlder(one.at, days, now))) return false
  if (sentAlone(memory, row).some(hash => !present.has(hash))) return false
  if (row.visit === '') return true // a counter shows in no snapshot
  const visit = memory.visits.get(visitKey(row.by, row.visit))
  if (!visit || visit.stale) return false
  return visit.gone !== '' || receipt.seq <= visit.seq
}

/**
 * Blobs of an operation that were sent by themselves. One that was sent in a push has the number of
 * that push's operations (0 here).
 * @param {Memory} memory @param {OutboxValue} row @returns {string[]} hashes
 */
const sentAlone = (memory, row) =>
  blobsNeeded(memory, row).filter(hash => (memory.receipts.get(hash)?.seq ?? 0) > 0)

/** @param {Memory} memory @param {{has(hash: string): boolean}} present @returns {Limits} */
const limitsOf = (memory, present) => ({
  present,
  // Each person's own: who signs in here for the first time has no cursor that would notice a
  // server put back, and a newer backup of that server need not hold what others sent before.
  backup: person => memory.meta.get(`backup ${person}`)?.value ?? 0,
  days: Math.min(memory.meta.get('keep_days')?.value ?? KEPT_DAYS_MAX, KEPT_DAYS_MAX),
})

/**
 * A person's blobs that the server has taken since the last pull. No operation in the log is
 * theirs, so a server put back to a copy from before them can look unchanged: ask after the next
 * pull.
 * @param {Memory} memory @param {string} person @returns {string[]} hashes
 */
export const unconfirmedBlobs = (memory, person) =>
  [...memory.receipts.values()]
    .filter(
      one =>
        one.by === person &&
        one.result === 'stored' &&
        memory.blobs.has(one.id) &&
        one.seq > confirmedUpTo(memory, person),
    )
    .map(one => one.id)

/**
 * Blobs sent by themselves of operations that could be removed: for the same reason the server is
 * asked about them first.
 * @param {Memory} memory @param {Date} now @returns {string[]} hashes
 */
export function blobsToVerify(memory, now) {
  const limits = limitsOf(memory, {has: () => true})
  const rows = [...memory.outbox.values()].filter(row => mayRemove(memory, row, limits, now))
  return [...new Set(rows.flatMap(row => sentAlone(memory, row)))]
}

/**
 * What is no longer needed here.
 * @param {Memory} memory @param {Date} now the server's clock
 * @param {Set<string>} present blobs that the server has, asked just now
 * @returns {Change[]}
 */
export function removals(memory, now, present) {
  const limits = limitsOf(memory, present)
  const rows = [...memory.outbox.values()]
  const hidden = hiddenVisits(memory, rows)
  const going = new Set(
    rows
      .filter(row => hidden.has(row.visit) || mayRemove(memory, row, limits, now))
      .map(row => row.id),
  )
  const staying = rows.filter(row => !going.has(row.id))
  const named = new Set(staying.flatMap(row => blobsNeeded(memory, row)))
  return [
    ...[...going].map(id => drop('outbox', id)),
    ...[...memory.blobs].filter(id => !named.has(id)).map(id => drop('blobs', id)),
    ...goneVisits(memory, rows, staying),
    ...reportDeleted(memory, hidden),
    ...handedStill(memory, going),
    ...[...memory.receipts.values()]
      .filter(
        one =>
          hidden.has(one.visit) ||
          (!memory.outbox.has(one.id) && !named.has(one.id) && isOlder(one.at, RECEIPT_DAYS, now)),
      )
      .map(one => drop('receipts', one.id)),
  ]
}

/**
 * Visits of protected tenancies of which everything, by anybody on this phone, has arrived.
 * @param {Memory} memory @param {OutboxValue[]} rows @returns {Set<string>}
 */
function hiddenVisits(memory, rows) {
  const visits = [...memory.visits.values()]
    .filter(one => one.gone === 'protected')
    .map(one => one.visit)
  return new Set(
    visits.filter(visit => rows.every(row => row.visit !== visit || isDelivered(memory, row))),
  )
}

/**
 * That nothing of these visits is left here is to be reported.
 * @param {Memory} memory @param {Set<string>} hidden @returns {Change[]}
 */
function reportDeleted(memory, hidden) {
  if (hidden.size === 0) return []
  const known = memory.meta.get('deleted')?.value ?? []
  return [metaChange('deleted', [...new Set([...known, ...hidden])])]
}

/** @param {Memory} memory @param {Set<string>} going @returns {Change[]} */
function handedStill(memory, going) {
  /** @type {string[]} */
  const handed = memory.meta.get('handed')?.value ?? []
  const still = handed.filter(id => memory.outbox.has(id) && !going.has(id))
  return still.length < handed.length ? [metaChange('handed', still)] : []
}

/**
 * @param {Memory} memory @param {OutboxValue[]} rows @param {OutboxValue[]} staying those of `rows`
 * that are not removed now
 * @returns {Change[]}
 */
function goneVisits(memory, rows, staying) {
  const changes = []
  for (const one of memory.visits.values()) {
    const own = (/** @type {OutboxValue[]} */ list) =>
      list.filter(row => row.visit === one.visit && row.by === one.by)
    if (one.gone === '' || !own(rows).every(row => isDelivered(memory, row))) continue
    // The mark stays as long as operations do: without it their replay would show the visit again.
    if (own(staying).length === 0) changes.push(drop('visits', one.id))
    else if (one.record)
      changes.push(put('visits', {...one, record: null, tenancy: {}, settings: {}}))
  }
  return changes
}

/**
 * What is offered anew when the server was put back to an older state, or is another one: all that
 * was acknowledged.
 * @param {Memory} memory @returns {Change[]}
 */
export const offerAgain = memory =>
  [...memory.receipts.values()]
    .filter(
      one => one.result !== 'damaged' && (memory.outbox.has(one.id) || memory.blobs.has(one.id)),
    )
    .map(one => drop('receipts', one.id))
