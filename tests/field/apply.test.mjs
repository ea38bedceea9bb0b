// The phone's records against the vectors that sync/apply.py passes, and what vectors cannot show.

import assert from 'node:assert/strict'
import {readdirSync, readFileSync} from 'node:fs'
import {test} from 'node:test'

import fc from 'fast-check'
import {KINDS} from '../../static/build/constants.js'
import {
  apply,
  conflictsOf,
  consentOf,
  consentsOf,
  fold,
  newVisit,
  stateOf,
  winner,
} from '../../static/field/record/apply.js'

const VECTORS = new URL('../../sync/vectors/apply/', import.meta.url)
const load = name => JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8'))
const names = readdirSync(VECTORS).filter(name => name.endsWith('.json'))

function freeze(value) {
  if (value && typeof value === 'object') Object.values(value).forEach(freeze)
  return Object.freeze(value)
}

const decisions = found =>
  Object.fromEntries(Object.entries(found).map(([purpose, one]) => [purpose, one.decision]))
const values = found =>
  Object.fromEntries(
    Object.entries(found).map(([field, writes]) => [field, writes.map(one => one.value)]),
  )

for (const name of names) {
  test(`the vector ${name} gives the same record, state, conflicts and consents`, () => {
    const vector = load(name)
    // Frozen: a step that changed its argument would throw.
    const record = vector.steps.reduce(
      (one, {operation, seq}) => freeze(apply(one, freeze(operation), seq)),
      null,
    )
    assert.deepEqual(record, vector.record)
    assert.equal(stateOf(record), vector.state)
    if (vector.conflicts) assert.deepEqual(values(conflictsOf(record)), vector.conflicts)
    if (vector.consents) assert.deepEqual(decisions(consentsOf(record)), vector.consents)
  })
}

test('there are vectors', () => assert.ok(names.length > 20, `${names.length} vectors`))

test('folding is applying one by one', () => {
  for (const name of names) {
    const operations = load(name).steps.map(step => step.operation)
    const one = operations.reduce((record, operation, n) => apply(record, operation, 100 + n), null)
    assert.deepEqual(fold(null, operations, 100), one, name)
  }
})

test('every kind the server knows of a visit is known here, with the same fields', () => {
  const source = readFileSync(new URL('../../sync/kinds.py', import.meta.url), 'utf8')
  const table = source.slice(source.indexOf('KINDS: Mapping'), source.indexOf('\nVERSION = '))
  const blocks = table
    .split(/\n {4}(?=")/)
    .slice(1)
    .map(block => [block.match(/^"([a-z_.]+)"/)[1], block.slice(block.indexOf('(') + 1)])
  const found = Object.fromEntries(
    blocks
      .filter(([kind]) => !kind.startsWith('tenancy.'))
      .map(([kind, body]) => [
        kind,
        {
          fields: [...body.matchAll(/"([a-z0-9_]+)": /g)].map(match => match[1]).sort(),
          content: body.includes('content=True'),
        },
      ]),
  )
  const ours = Object.fromEntries(
    Object.entries(KINDS).map(([kind, one]) => [
      kind,
      {fields: [...one.fields].sort(), content: one.content},
    ]),
  )
  assert.deepEqual(found, ours)
})

const envelope = (kind, data, device, deviceSeq, base = 0) => ({
  id: `${device}-${deviceSeq}`,
  v: 1,
  kind,
  subject: {type: 'visit', id: 'v'},
  by: device,
  device,
  device_seq: deviceSeq,
  at: '2026-11-22T10:00:00+01:00',
  base,
  data,
})

test('batches of one device in any order give the same values, notes and consents', () => {
  const data = fc.constantFrom(
    ['visit.answer', {item: 'i1', answer: 'yes'}],
    ['visit.answer', {item: 'i1', answer: 'no'}],
    ['visit.note', {item: '', text: 'tap drips'}],
    ['visit.close', {let_go: [], read_back: true}],
    ['visit.reopen', {}],
    ['visit.withdraw', {purpose: 'K1', channel: 'visit'}],
  )
  const seen = record => ({
    cells: Object.fromEntries(
      Object.entries(record.cells).map(([field]) => [field, winner(record, field).op]),
    ),
    notes: record.notes.map(one => one.id),
    consent: consentOf(record, 'K1')?.id,
    state: stateOf(record),
  })
  fc.assert(
    fc.property(fc.array(data, {minLength: 2, maxLength: 12}), fc.nat(), (list, cut) => {
      const operations = list.map(([kind, one], n) => envelope(kind, one, 'phone', n + 1))
      const at = cut % operations.length
      const swapped = [...operations.slice(at), ...operations.slice(0, at)]
      assert.deepEqual(seen(fold(null, swapped, 1)), seen(fold(null, operations, 1)))
    }),
  )
})

test('names from the wire that every object owns are only names', () => {
  const note = envelope('visit.note', {item: '', text: 'x'}, 'constructor', 1)
  const consent = envelope(
    'visit.withdraw',
    {purpose: 'constructor', channel: 'visit'},
    'toString',
    1,
  )
  const record = fold(null, [note, consent], 1)
  assert.deepEqual(record.content.constructor, {device_seq: 1, seq: 1})
  assert.equal(consentOf(record, 'constructor').decision, 'withdrawn')
  assert.equal(consentOf(record, 'valueOf'), null)
  assert.equal(winner(record, 'toString'), null)
})

test('an operation about something else is refused', () => {
  assert.throws(
    () =>
      apply(
        null,
        {...envelope('tally.count', {}, 'phone', 1), subject: {type: 'tally', id: 't'}},
        1,
      ),
    TypeError,
  )
  const record = apply(null, envelope('visit.reopen', {}, 'phone', 1), 1)
  assert.throws(
    () =>
      apply(
        record,
        {...envelope('visit.reopen', {}, 'phone', 2), subject: {type: 'visit', id: 'other'}},
        2,
      ),
    TypeError,
  )
})

test('a record from before there were photos takes one, and gives the same as a new one', () => {
  const {photos, ...old} = newVisit('v', '', 'welcome')
  const photo = envelope('visit.photo', {item: 'i37', photo: 'a'.repeat(64)}, 'p', 1)
  const taken = apply(old, photo, 1)
  assert.deepEqual([photos, taken.blobs], [[], ['a'.repeat(64)]])
  assert.deepEqual(taken, apply(newVisit('v', '', 'welcome'), photo, 1))
})
