// What the phone says of itself in a push, and until when it repeats it. Invariant: a loss, what
// was fetched back after one, and visits deleted because they turned out to be protected are told
// in every push until the server has taken one in; nothing of a visit's content is among it.

import {inOrder, isDone} from '../record/replay.js'
import {metaChange} from '../store/rows.js'

/** @import {Change, Memory} from '../record/shapes.d.ts' */

const REPORTED = ['lost', 'recovered', 'deleted']
const DELETED_MAX = 100 // visits named in one push; the rest in the next

/** Whether there is something that the server must hear of. @param {Memory} memory */
export const hasReport = memory => REPORTED.some(id => memory.meta.has(id))

/**
 * How the phone will stand when a push has been taken in.
 * @param {Memory} memory
 * @param {object} report what the browser says of itself (browser.js)
 * @param {{going: Set<string>, tight: boolean}} phone ids of the push's operations; whether space has run out
 * @returns {{health: object, told: (memory: Memory) => Change[]}}
 *   `told`: what need not be said again once the server has it
 */
export function healthOf(memory, report, {going, tight}) {
  const open = inOrder(memory).filter(row => !going.has(row.id) && !isDone(memory, row))
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
    told: now => [
      ...(lost && now.meta.has('lost') ? [{drop: 'meta', id: 'lost'}] : []),
      ...(recovered && now.meta.get('recovered')?.value === recovered
        ? [{drop: 'meta', id: 'recovered'}]
        : []),
      ...(deleted ? without(now, deleted) : []),
    ],
  }
}

function without(memory, deleted) {
  const rest = (memory.meta.get('deleted')?.value ?? []).filter(id => !deleted.includes(id))
  return rest.length > 0 ? [metaChange('deleted', rest)] : [{drop: 'meta', id: 'deleted'}]
}
