// What the answer to a push says of each operation. Invariant (I3): what is returned as applied was
// proved by the server, one by one with id and hash, or all together with one hash over the hashes
// of what was sent, in order. It refuses an answer whose proof does not fit: then nothing was said.

import {sha256} from '../record/ids.js'
import {NotSent} from './transport.js'

/** @typedef {{id: string, sha256: string, result: string, seq: number, problem: string}} Result */

/**
 * @param {Array<{id: string, sha256: string}>} rows what was sent, in order
 * @param {any} answer
 * @returns {Promise<Result[]>}
 * @throws {NotSent} the answer is not one to this push
 */
export async function resultsOf(rows, {results, taken}) {
  if (!Array.isArray(results)) throw foreign()
  if (taken === undefined) return results
  const listed = new Set(results.map(one => one.id))
  const rest = rows.filter(row => !listed.has(row.id))
  const numbers = numbersOf(taken?.seqs, rest.length)
  if (
    !numbers ||
    taken.sha256 !== (await sha256(new TextEncoder().encode(rest.map(row => row.sha256).join(''))))
  )
    throw foreign()
  return [
    ...results,
    ...rest.map(({id, sha256: hash}, n) => ({
      id,
      sha256: hash,
      result: 'applied',
      seq: numbers[n],
      problem: '',
    })),
  ]
}

const foreign = () => new NotSent('foreign', 'not_ours', 200)

/** [[first, count], …] as the list of numbers, null unless they are `wanted` ones. */
function numbersOf(runs, wanted) {
  const isRun = run =>
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
