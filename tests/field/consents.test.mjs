// I5 on the phone: every order in which up to three decisions about one purpose can be made and
// arrive gives what the model of tests/sync/test_consent_orders.py says.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {consentsOf} from '../../static/field/apply.js'

const product = (...lists) => lists.reduce((made, list) => made.flatMap(one => list.map(next => [...one, next])), [[]])
const upTo = end => Array.from({length: end + 1}, (_, n) => n)

/** A device's decisions have different numbers, from 1 on; what it knows of the log never shrinks,
 * and nobody knows of an own decision that is yet to be made. */
const isPossible = history => history.every((one, at) => history.every((other, place) => (
  other === one || other.device !== one.device || (other.made !== one.made
    && (other.made > one.made || other.seen <= one.seen)
    && (other.made < one.made || one.seen <= place)))) && one.made <= history.filter(other => other.device === one.device).length && at >= one.seen)

function* orders(count) {
  const one = at => product(['a', 'b'], upTo(count - 1).map(n => n + 1), upTo(at), ['yes', 'no', 'withdrawn'])
  for (const rows of product(...upTo(count - 1).map(one))) {
    const history = rows.map(([device, made, seen, decision]) => ({device, made, seen, decision}))
    if (isPossible(history)) yield history
  }
}

function counts(history) {
  const isOver = (one, at) => history.some(later => (
    later.device === one.device ? later.made > one.made : later.seen > at))
  const left = history.filter((one, at) => !isOver(one, at)).map(one => one.decision)
  return ['withdrawn', 'no', 'yes'].find(decision => left.includes(decision))
}

for (const [count, expected] of [[1, 6], [2, 90], [3, 2160]]) {
  test(`I5: ${count} decisions in every order give what the model says`, () => {
    let tried = 0
    for (const history of orders(count)) {
      const consents = history.map(({device, made, seen, decision}, n) => (
        {purpose: 'K1', decision, seq: n + 1, device, device_seq: made, base: seen}))
      assert.equal(consentsOf({consents}).K1.decision, counts(history), JSON.stringify(history))
      tried++
    }
    assert.equal(tried, expected)
  })
}
