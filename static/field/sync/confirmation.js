// Whether the server still has what it acknowledged. A server put back to an older state is found
// by the cursor's digest, but only up to the cursor: what was acknowledged after the last pull is
// not covered, and its number may soon be another operation's. Invariant (I1): an acknowledgement
// is provisional until a later pull confirms it. Pure. What no pull confirms is offered once more,
// which is harmless: to known bytes the server gives its first answer again.

import {blobsOf} from '../record/operations.js'
import {operationsIn, visitKey} from '../record/replay.js'
import {drop} from '../store/rows.js'

/** @import {Change, Memory, VisitValue} from '../record/shapes.d.ts' */

/** @param {string} cursor "<seq>.<digest>.<day>" @returns {number} */
export const cursorSeq = cursor => Number.parseInt(cursor, 10) || 0

/**
 * The number up to which a person's acknowledged operations are confirmed: by a pull, and from
 * there downwards by the cursor's digest. The cursor can be the lower one: a log that began anew.
 * @param {Memory} memory @param {string} person @returns {number}
 */
export function confirmedUpTo(memory, person) {
  const value = (/** @type {string} */ id) => memory.meta.get(`${id} ${person}`)?.value
  return Math.min(value('vouched') ?? 0, cursorSeq(value('cursor') ?? ''))
}

/**
 * What a pull's last page changes: acknowledgements that nothing confirms are forgotten.
 * @param {Memory} memory
 * @param {Map<string, VisitValue>} visits as they are after this pull
 * @param {string} person
 * @param {Set<string>} before ids of the receipts that were there when the pull was sent
 * @returns {{unconfirmed: boolean, changes: Change[]}} `unconfirmed`: there is something to offer
 * again
 */
export function findUnconfirmed(memory, visits, person, before) {
  const acknowledged = []
  for (const row of memory.outbox.values()) {
    const receipt = memory.receipts.get(row.id)
    if (row.by !== person || receipt?.result !== 'applied' || !before.has(row.id)) continue
    if (!row.operation || receipt.seq <= confirmedUpTo(memory, person)) continue
    acknowledged.push({row, receipt, blobs: blobsOf(row.operation)})
  }
  // One push is one transaction on one log, numbered in order: an operation that is there under its
  // own number proves those before it in the same answer, whether a snapshot still shows them or
  // not. Of another push it proves nothing: between the two the server may have been put back.
  const tops = new Map()
  for (const {row, receipt} of acknowledged) {
    const record = visits.get(visitKey(person, row.visit))?.record
    if (!record || operationsIn(record).get(row.id) !== receipt.seq) continue
    tops.set(receipt.push, Math.max(receipt.seq, tops.get(receipt.push) ?? 0))
  }
  const doubtful = acknowledged.filter(({receipt}) => receipt.seq > (tops.get(receipt.push) ?? 0))
  const ids = new Set(doubtful.flatMap(({row, blobs}) => [row.id, ...blobs]))
  return {
    unconfirmed: doubtful.length > 0,
    changes: [...ids].filter(id => memory.receipts.has(id)).map(id => drop('receipts', id)),
  }
}
