// Receipts: the server's verdict on an operation or a blob, kept beside it. Invariant (I3): nothing
// is marked as applied unless the answer names its id and its hash.

import {blobsNeeded, unsentBlobs} from '../record/replay.js'
import {drop, put} from '../store/rows.js'

/**
 * @import {Change, Memory, OutboxValue, PushAnswer, PushResult, Receipt} from '../record/shapes.d.ts'
 */

/**
 * @typedef {{result: Receipt['result'], seq?: number, problem?: string, comment?: string,
 *   push?: string}} Verdict what a receipt says
 */

/**
 * @param {{id: string, by: string, visit: string}} row @param {Verdict} verdict @param {Date} now
 * @returns {Change}
 */
export const receiptOf = (
  {id, by, visit},
  {result, seq = 0, problem = '', comment = '', push = ''},
  now,
) => put('receipts', {id, by, visit, result, seq, problem, comment, push, at: now.toISOString()})

/** A server's number, or 0. @param {unknown} number @returns {number} */
export const numberOr0 = number => (Number.isSafeInteger(number) ? Number(number) : 0)

/** Whether the server has acknowledged a blob. @param {Memory} memory @param {string} hash */
export const isStored = (memory, hash) =>
  memory.blobs.has(hash) && memory.receipts.get(hash)?.result === 'stored'

/**
 * What an answer changes for one operation and its blobs; nothing without its id and its hash.
 * @param {Memory} memory
 * @param {OutboxValue} row
 * @param {PushResult|undefined} found the operation's result
 * @param {PushAnswer} answer
 * @param {string} push names this answer
 * @param {Date} now
 * @returns {Change[]}
 */
export function changesFrom(memory, row, found, answer, push, now) {
  if (found?.sha256 !== row.sha256 || !memory.outbox.has(row.id)) return []
  const gone = blobsNeeded(memory, row)
    .filter(hash => answer.missing_blobs.includes(hash) && isStored(memory, hash))
    // The server had it once and was put back since: it is sent again.
    .map(id => drop('receipts', id))
  const seq = found.result === 'duplicate' ? numberOr0(answer.seq + 1) : 0
  const blobs = unsentBlobs(memory, row)
    .filter(hash => !answer.missing_blobs.includes(hash))
    .map(hash => receiptOf({...row, id: hash}, {result: 'stored', seq}, now))
  if (found.result === 'held') {
    const before = memory.receipts.get(row.id)
    const problem = String(found.problem ?? '')
    // The same answer again keeps its date: the days of what was filed are counted from it.
    const isSame = before?.result === 'held' && before.problem === problem
    const held = {result: /** @type {const} */ ('held'), problem, comment: before?.comment}
    return [receiptOf(row, held, isSame ? new Date(before.at) : now), ...gone, ...blobs]
  }
  const isApplied = found.result === 'applied' || found.result === 'duplicate'
  if (!isApplied || !Number.isSafeInteger(found.seq) || found.seq <= 0) return []
  return [receiptOf(row, {result: 'applied', seq: found.seq, push}, now), ...gone, ...blobs]
}
