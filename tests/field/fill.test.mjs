// The phone's half of sync/vectors/fill.json; tests/guide/test_fill.py runs the same cases.
import assert from 'node:assert/strict'
import {readFileSync} from 'node:fs'
import {test} from 'node:test'

import {fill, localise, placeholders} from '../../static/field/guide/fill.js'

const vectors = JSON.parse(
  readFileSync(new URL('../../sync/vectors/fill.json', import.meta.url), 'utf8'),
)

for (const one of vectors.fill) {
  test(`fill: ${one.name}`, () => {
    assert.equal(fill(one.text, one.settings, one.fallback), one.expected)
  })
}

for (const one of vectors.localise) {
  test(`localise: ${one.name}`, () => {
    assert.deepEqual(localise(one.settings, one.texts), one.expected)
  })
}

test('placeholders are found in order and repeated', () => {
  assert.deepEqual(placeholders('{b} {a.c} {b}'), ['b', 'a.c', 'b'])
})
