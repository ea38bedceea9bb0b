// I5 on the phone: every order in which up to three decisions about one purpose can be made and
// arrive gives what the model of tests/sync/test_consent_orders.py gives.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {consentsOf} from '../../static/field/record/apply.js'

const product = (...lists) =>
  lists.reduce((made, list) => made.flatMap(one => list.map(next => [...one, next])), [[]])
const upTo = end => Array.from({length: end + 1}, (_, n) => n)

const PHONES = {amira: 'p', bob: 'q', charlie: 'p'} // two share one, and neither sees what the other has not sent
const phoneOf = one => PHONES[one.by]

/** A phone's decisions have different numbers, from 1 on; what somebody knows of the log never
 * shrinks, and nobody knows of a decision that is yet to be made on the same phone. */
const isPossible = history =>
  history.every(
    (one, at) =>
      history.every(
        (other, place) =>
          other === one ||
          phoneOf(other) !== phoneOf(one) ||
          (other.made !== one.made &&
            (other.by !== one.by || other.made > one.made || other.seen <= one.seen) &&
            (other.made < one.made || one.seen <= place)),
      ) &&
      one.made <= history.filter(other => phoneOf(other) === phoneOf(one)).length &&
      at >= one.seen,
  )

function* orders(count) {
  const one = at =>
    product(
      Object.keys(PHONES),
      upTo(count - 1).map(n => n + 1),
      upTo(at),
      ['yes', 'no', 'withdrawn'],
    )
  for (const rows of product(...upTo(count - 1).map(one))) {
    const history = rows.map(([by, made, seen, decision]) => ({by, made, seen, decision}))
    if (isPossible(history)) yield history
  }
}

function counts(history) {
  const isOver = (one, at) =>
    history.some(later => (later.by === one.by ? later.made > one.made : later.seen > at))
  const left = history.filter((one, at) => !isOver(one, at)).map(one => one.decision)
  return ['withdrawn', 'no', 'yes'].find(decision => left.includes(decision))
}

for (const [count, expected] of [
  [1, 9],
  [2, 207],
  [3, 8019],
]) {
  test(`I5: ${count} decisions in every order give what the model gives`, () => {
    let tried = 0
    for (const history of orders(count)) {
      const consents = history.map(({by, made, seen, decision}, n) => ({
        purpose: 'K1',
        decision,
        seq: n + 1,
        by,
        device: PHONES[by],
        device_seq: made,
        base: seen,
      }))
      assert.equal(consentsOf({consents}).K1.decision, counts(history), JSON.stringify(history))
      tried++
    }
    assert.equal(tried, expected)
  })
}

test('I5: a yes whose author may not have been shown the no never counts over it', () => {
  const no = {purpose: 'K1', decision: 'no', seq: 1, by: 'bob', device: 'q', device_seq: 1, base: 0}
  const yes = {
    purpose: 'K1',
    decision: 'yes',
    seq: 2,
    by: 'amira',
    device: 'p',
    device_seq: 1,
    base: 1,
  }
  const counted = consents => consentsOf({consents}).K1.decision
  assert.equal(counted([no, yes]), 'yes')
  assert.equal(counted([no, {...yes, alone: true}]), 'no')
  assert.equal(
    counted([
      {...no, by: 'amira', device: 'r'},
      {...yes, alone: true},
    ]),
    'yes',
    'it was the own one',
  )
})
