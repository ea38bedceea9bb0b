// What may leave the phone, and when. Pure: a Memory in, changes out. Invariant (I1): an operation
// leaves only when the server has it and its blobs, news have vouched for that (confirmation.js), a
// snapshot shows it (or the visit is gone from this phone), and a backup that its author's own news
// told of has passed it or fourteen days have (the company may say fewer). Of a visit that turned out to be protected nothing stays
// once all of it has arrived, and the server is told so (health.js). The phone's clock alone deletes nothing: it only adds to what the
// server has said.

import {blobsOf} from '../record/operations.js'
import {blobsNeeded, isDelivered, isFiled, visitKey} from '../record/replay.js'
import {metaChange} from '../store/rows.js'
import {confirmedUpTo} from './confirmation.js'

/** @import {Change, Memory} from '../record/shapes.d.ts' */

const DAY_MS = 86_400_000
const KEPT_DAYS_MAX = 14
const RECEIPT_DAYS = 60

const isOlder = (at, days, now) => now.getTime() - Date.parse(at) > days * DAY_MS

function mayLeave(memory, row, {backup, days, there}, now) {
  const receipt = memory.receipts.get(row.id)
  // A number of the log is not given to what the office keeps as it is: only days can pass it.
  if (isFiled(memory, row)) return isDelivered(memory, row) && isOlder(receipt.at, days, now)
  if (receipt?.result !== 'applied' || !isDelivered(memory, row)) return false
  if (receipt.seq > confirmedUpTo(memory, row.by)) return false
  // A backup that was made before a picture came lacks it: what is stored has a number of its own.
  const told = [receipt, ...blobsOf(row.operation).map(hash => memory.receipts.get(hash))]
  if (told.some(one => one && one.seq > backup(row.by) && !isOlder(one.at, days, now))) return false
  if (cameAlone(memory, row).some(hash => !there.has(hash))) return false
  if (row.visit === '') return true // a counter shows in no snapshot
  const visit = memory.visits.get(visitKey(row.by, row.visit))
  return Boolean(visit) && !visit.stale && (visit.gone !== '' || receipt.seq <= visit.seq)
}

// What rode along in a push has the number of that push's operations (0 here).
const cameAlone = (memory, row) =>
  blobsNeeded(memory, row).filter(hash => memory.receipts.get(hash)?.seq > 0)

const toldBy = (memory, there) => ({
  there,
  // Each person's own: who signs in here for the first time has no cursor that would notice a
  // server put back, and its newer backup is not one that holds what others sent before.
  backup: person => memory.meta.get(`backup ${person}`)?.value ?? 0,
  days: Math.min(memory.meta.get('keep_days')?.value ?? KEPT_DAYS_MAX, KEPT_DAYS_MAX),
})

/**
 * A person's blobs that the server has taken since the last news. No operation in the log is theirs, so a
 * server put back to a copy from before them can look the same as ever: ask after the next news.
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
 * Blobs that came by themselves and of which an operation could leave: for the same reason the
 * server is asked about them before.
 * @param {Memory} memory @param {Date} now @returns {string[]} hashes
 */
export function blobsToVerify(memory, now) {
  const told = toldBy(memory, {has: () => true})
  const rows = [...memory.outbox.values()].filter(row => mayLeave(memory, row, told, now))
  return [...new Set(rows.flatMap(row => cameAlone(memory, row)))]
}

/**
 * What is no longer needed here.
 * @param {Memory} memory @param {Date} now this phone's clock
 * @param {Set<string>} there blobs that the server, asked just now, has
 * @returns {Change[]}
 */
export function removals(memory, now, there) {
  const told = toldBy(memory, there)
  const rows = [...memory.outbox.values()]
  const hidden = hiddenVisits(memory, rows)
  const going = new Set(
    rows
      .filter(row => hidden.has(row.visit) || mayLeave(memory, row, told, now))
      .map(row => row.id),
  )
  const staying = rows.filter(row => !going.has(row.id))
  const named = new Set(staying.flatMap(row => blobsNeeded(memory, row)))
  return [
    ...[...going].map(id => ({drop: 'outbox', id})),
    ...[...memory.blobs].filter(id => !named.has(id)).map(id => ({drop: 'blobs', id})),
    ...goneVisits(memory, rows, staying),
    ...confirmed(memory, hidden),
    ...handedStill(memory, going),
    ...[...memory.receipts.values()]
      .filter(
        one =>
          hidden.has(one.visit) ||
          (!memory.outbox.has(one.id) && !named.has(one.id) && isOlder(one.at, RECEIPT_DAYS, now)),
      )
      .map(one => ({drop: 'receipts', id: one.id})),
  ]
}

/** Visits of protected tenancies of which everything, by anybody on this phone, has arrived. */
function hiddenVisits(memory, rows) {
  const told = [...memory.visits.values()]
    .filter(one => one.gone === 'protected')
    .map(one => one.visit)
  return new Set(
    told.filter(visit => rows.every(row => row.visit !== visit || isDelivered(memory, row))),
  )
}

/** That nothing of these visits is left here is to be said. */
function confirmed(memory, hidden) {
  if (hidden.size === 0) return []
  return [
    metaChange('deleted', [...new Set([...(memory.meta.get('deleted')?.value ?? []), ...hidden])]),
  ]
}

function handedStill(memory, going) {
  const handed = memory.meta.get('handed')?.value ?? []
  const still = handed.filter(id => memory.outbox.has(id) && !going.has(id))
  return still.length < handed.length ? [metaChange('handed', still)] : []
}

function goneVisits(memory, rows, staying) {
  const changes = []
  for (const one of memory.visits.values()) {
    const own = list => list.filter(row => row.visit === one.visit && row.by === one.by)
    if (one.gone === '' || !own(rows).every(row => isDelivered(memory, row))) continue
    // The mark stays as long as operations do: without it their replay would show the visit again.
    else if (own(staying).length === 0) changes.push({drop: 'visits', id: one.id})
    else if (one.record)
      changes.push({put: 'visits', value: {...one, record: null, tenancy: {}, settings: {}}})
  }
  return changes
}

/** What must be offered anew when the server was put back to an older state, or is another one:
 * all it once said it had. @param {Memory} memory @returns {Change[]} */
export const offerAgain = memory =>
  [...memory.receipts.values()]
    .filter(
      one => one.result !== 'damaged' && (memory.outbox.has(one.id) || memory.blobs.has(one.id)),
    )
    .map(one => ({drop: 'receipts', id: one.id}))
