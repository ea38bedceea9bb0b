// The answer to a push, read. Invariant (I3): what is returned as applied was proved by the server,
// one by one with id and hash, or all together with one hash over the hashes of what was sent, in
// order. An answer whose proof does not fit acknowledges nothing.

import {sha256} from '../record/ids.js'
import {NotSent} from './transport.js'

/** @import {PushAnswer, PushResult} from '../record/shapes.d.ts' */

/**
 * The result of each operation that was sent.
 * @param {Array<{id: string, sha256: string}>} rows what was sent, in order
 * @param {PushAnswer} answer
 * @returns {Promise<PushResult[]>}
 * @throws {NotSent} the answer is not one to this push
 */
export async function resultsOf(rows, {results, taken}) {
  if (!Array.isArray(results)) throw foreign()
  if (taken === undefined) return results
  const listed = new Set(results.map(one => one.id))
  const rest = rows.filter(row => !listed.has(row.id))
  const numbers = numbersOf(taken?.seqs, rest.length)
  if (!numbers) throw foreign()
  const proof = await sha256(new TextEncoder().encode(rest.map(row => row.sha256).join('')))
  if (taken.sha256 !== proof) throw foreign()
  const applied = rest.map((row, n) => ({
    id: row.id,
    sha256: row.sha256,
    result: 'applied',
    seq: numbers[n],
    problem: '',
  }))
  return [...results, ...applied]
}

const foreign = () => new NotSent('foreign', 'not_ours', 200)

/**
 * [[first, count], …] as the list of numbers; null unless there are `wanted` of them.
 * @param {unknown} runs @param {number} wanted @returns {number[]|null}
 */
function numbersOf(runs, wanted) {
  const isRun = (/** @type {unknown} */ run) =>
    Array.isArray(run) &&
    run.length === 2 &&
    run.every(Number.isSafeInteger) &&
    run[0] > 0 &&
    run[1] > 0 &&
    run[1] <= wanted
  if (!Array.isArray(runs) || runs.length > wanted || !runs.every(isRun)) return null
  const numbers = runs.flatMap(([first, count]) => Array.from({length: count}, (_, n) => first + n))
  return numbers.length === wanted ? numbers : null
}
