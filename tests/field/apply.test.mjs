// Records on the phone: the vectors that Python made, and that nothing is changed in place.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import test from 'node:test'

import { apply, conflictsOf, consentOf, consentsOf, stateOf, valueOf } from '../../static/field/apply.js'

const folder = new URL('../../sync/vectors/apply/', import.meta.url)
const vectors = readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))

test('there are vectors', () => assert.ok(vectors.length > 30))

for (const vector of vectors) {
  test(`vector ${vector.name}`, () => {
    let record = null
    for (const { operation, seq } of vector.steps) {
      const before = structuredClone(record)
      const after = apply(record, operation, seq)
      assert.deepEqual(record, before, 'apply changed its argument')
      record = after
    }
    assert.deepEqual(record, vector.record)
    assert.equal(stateOf(record), vector.state)
    const values = Object.entries(conflictsOf(record)).map(([field, writes]) => [field, writes.map((w) => w.value)])
    assert.deepEqual(Object.fromEntries(values), vector.conflicts)
    const decisions = Object.entries(consentsOf(record)).map(([purpose, one]) => [purpose, one.decision])
    assert.deepEqual(Object.fromEntries(decisions), vector.consents)
    for (const [purpose, decision] of decisions) assert.equal(consentOf(record, purpose).decision, decision)
  })
}

test('names that live on Object.prototype are names like any other', () => {
  const envelope = { id: 'a', kind: 'visit.answer', subject: { type: 'visit', id: 'v' }, by: 'b',
    device: 'constructor', device_seq: 1, at: '', base: 0, data: { item: 'constructor', answer: 'ok' } }
  const record = apply(null, envelope, 1)
  assert.equal(valueOf(record, 'answer.constructor'), 'ok')
  assert.equal(valueOf(record, 'constructor', 'none'), 'none')
  assert.equal(stateOf(record), 'started')
})
