// The phone's health, reported in a push. Invariant: a loss, what was recovered after one, and
// visits deleted because they turned out to be protected are in every push until the server has
// acknowledged one; nothing of a visit's content is among it.

import {inOrder, isDone} from '../record/replay.js'
import {drop, metaChange} from '../store/rows.js'

/** @import {Change, Memory} from '../record/shapes.d.ts' */

const REPORTED = ['lost', 'recovered', 'deleted']
const DELETED_MAX = 100 // visits named in one push; the rest in the next

/** Whether something is to be reported even with nothing to send. @param {Memory} memory */
export const hasReport = memory => REPORTED.some(id => memory.meta.has(id))

/**
 * The phone's health as it will be once the push is acknowledged.
 * @param {Memory} memory
 * @param {object} report the browser's (browser.js)
 * @param {{sending: Set<string>, tight: boolean}} phone ids of the push's operations; whether space
 *   has run out
 * @returns {{health: object, reported: (memory: Memory) => Change[]}}
 *   `reported`: the changes once the server has it, so that it is not repeated
 */
export function healthOf(memory, report, {sending, tight}) {
  const open = inOrder(memory).filter(row => !sending.has(row.id) && !isDone(memory, row))
  const [lost, recovered, all] = REPORTED.map(id => memory.meta.get(id)?.value)
  const deleted = all?.slice(0, DELETED_MAX)
  return {
    health: {
      ...report,
      tight,
      unsent: open.length,
      oldest_unsent_at: open[0]?.operation?.at ?? '',
      ...(lost ? {lost: lost.reason, lost_unsent: lost.unsent, lost_device: lost.device} : {}),
      ...(recovered ? {recovered} : {}),
      ...(deleted ? {deleted} : {}),
    },
    reported: now => [
      ...(lost && now.meta.has('lost') ? [drop('meta', 'lost')] : []),
      ...(recovered && now.meta.get('recovered')?.value === recovered
        ? [drop('meta', 'recovered')]
        : []),
      ...(deleted ? without(now, deleted) : []),
    ],
  }
}

/**
 * @param {Memory} memory @param {string[]} deleted visits that were reported @returns {Change[]}
 */
function without(memory, deleted) {
  /** @type {string[]} */
  const known = memory.meta.get('deleted')?.value ?? []
  const rest = known.filter(id => !deleted.includes(id))
  return [rest.length > 0 ? metaChange('deleted', rest) : drop('meta', 'deleted')]
}
