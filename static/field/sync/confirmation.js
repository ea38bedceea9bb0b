// Whether the server still has what it said it has. A server put back to an older state is found by
// the cursor's digest, but only up to the cursor: what was acknowledged after the last news is not
// covered, and its number may soon be another operation's. Invariant (I1): an acknowledgement
// counts for good only after news have vouched for it. Pure. What nothing vouches for is offered
// once more, which is harmless: the server's answer to known bytes is its first one.

import {blobsOf} from '../record/operations.js'
import {operationsIn, visitKey} from '../record/replay.js'

/** @import {Change, Memory, VisitValue} from '../record/shapes.d.ts' */

/** @param {string} cursor "<seq>.<digest>.<day>" @returns {number} */
export const cursorSeq = cursor => Number.parseInt(cursor, 10) || 0

/** The number up to which news have vouched for a person's acknowledged operations: from there on
 * down the cursor's digest does. The cursor can be the lower one: a log that began anew.
 * @param {Memory} memory @param {string} person @returns {number} */
export function confirmedUpTo(memory, person) {
  const value = id => memory.meta.get(`${id} ${person}`)?.value
  return Math.min(value('vouched') ?? 0, cursorSeq(value('cursor') ?? ''))
}

/**
 * What a pull's last page changes: acknowledgements that nothing vouches for are forgotten.
 * @param {Memory} memory
 * @param {Map<string, VisitValue>} visits as they are with the news
 * @param {string} person
 * @param {Set<string>} told ids of the receipts that were there before these news were asked for
 * @returns {{unconfirmed: boolean, changes: Change[]}} `unconfirmed`: there is something to offer again
 */
export function findUnconfirmed(memory, visits, person, told) {
  const acknowledged = []
  for (const row of memory.outbox.values()) {
    const receipt = memory.receipts.get(row.id)
    if (row.by !== person || !row.operation || receipt?.result !== 'applied' || !told.has(row.id))
      continue
    if (receipt.seq > confirmedUpTo(memory, person)) acknowledged.push({row, receipt})
  }
  // One push is one transaction on one log, numbered through: an operation that is there under its
  // own number proves those before it in the same answer, whether a snapshot still shows them or
  // not. Of another push it proves nothing: between the two the server may have been put back.
  const tops = new Map()
  for (const {row, receipt} of acknowledged) {
    const record = visits.get(visitKey(person, row.visit))?.record
    if (!record || operationsIn(record).get(row.id) !== receipt.seq) continue
    tops.set(receipt.push, Math.max(receipt.seq, tops.get(receipt.push) ?? 0))
  }
  const doubtful = acknowledged.filter(({receipt}) => receipt.seq > (tops.get(receipt.push) ?? 0))
  const ids = new Set(doubtful.flatMap(({row}) => [row.id, ...blobsOf(row.operation)]))
  return {
    unconfirmed: doubtful.length > 0,
    changes: [...ids].filter(id => memory.receipts.has(id)).map(id => ({drop: 'receipts', id})),
  }
}
