// What may be removed from the phone: each reason to stay, alone.

import assert from 'node:assert/strict'
import {test} from 'node:test'

const {removals, offerAgain, blobsToVerify} = await import('../../static/field/sync/retention.js')

const NOW = new Date('2026-11-22T10:00:00Z')
const map = list => new Map(list.map(one => [one.id, one]))

/** An operation the server has, in a snapshot, passed by a backup; `change` spoils one of these. */
function settled(change = {}) {
  const parts = {
    row: {
      id: 'o',
      by: 'bob',
      visit: 'v',
      sha256: 's',
      text: '',
      operation: {data: {signature: 'b'}, device_seq: 1},
    },
    receipt: {id: 'o', by: 'bob', visit: 'v', result: 'applied', seq: 5, at: NOW.toISOString()},
    blob: {id: 'b', by: 'bob', visit: 'v', result: 'stored', seq: 0, at: NOW.toISOString()},
    visit: {
      id: 'bob v',
      by: 'bob',
      visit: 'v',
      seq: 5,
      gone: '',
      stale: false,
      record: {},
      tenancy: {},
      settings: {},
    },
    backup: 5,
    confirmed: 5,
    cursor: '5.0123456789abcdef.2026-11-22',
  }
  for (const [name, one] of Object.entries(change))
    parts[name] = typeof one === 'object' ? {...parts[name], ...one} : one
  return {
    meta: map([
      {id: 'backup amira', value: 99},
      {id: 'backup bob', value: parts.backup},
      {id: 'vouched bob', value: parts.confirmed},
      {id: 'cursor bob', value: parts.cursor},
    ]),
    outbox: map([parts.row]),
    receipts: map([parts.receipt, parts.blob]),
    visits: map([parts.visit]),
    blobs: new Set(['b']),
  }
}

const dropped = (memory, there = ['b']) =>
  removals(memory, NOW, new Set(there)).map(
    one => `${one.drop ?? `put ${one.put}`} ${one.id ?? one.value.id}`,
  )

test('an operation without any reason to stay is removed, with its blob; the visit and the receipt stay', () => {
  assert.deepEqual(dropped(settled()), ['outbox o', 'blobs b'])
})

const reasons = {
  'held at the server': {receipt: {result: 'held'}},
  'refused by the server': {receipt: {result: 'refused'}},
  'its blob is not there yet': {blob: {result: 'refused'}},
  'the backup is older': {backup: 4},
  'its picture came after the backup': {blob: {seq: 6}},
  'the backup is known to somebody else only': {backup: 0},
  'no pull has confirmed it': {confirmed: 4},
  'the log began anew': {cursor: '4.0123456789abcdef.2026-11-22'},
  'the snapshot is older': {visit: {seq: 4}},
  'the snapshot is of a server before': {visit: {stale: true}},
  "the snapshot is another person's": {visit: {id: 'amira v', by: 'amira'}},
}
for (const [reason, change] of Object.entries(reasons)) {
  test(`an operation stays: ${reason}`, () => assert.deepEqual(dropped(settled(change)), []))
}

test('a visit that is gone keeps its address while something of it has not arrived', () => {
  const gone = {gone: 'reassigned', tenancy: {street: 'Testgatan 1'}}
  for (const change of [{blob: {result: 'refused'}}, {receipt: {result: 'refused'}}]) {
    assert.deepEqual(dropped(settled({visit: gone, ...change})), [])
  }
  assert.deepEqual(
    dropped(settled({visit: gone, backup: 4})),
    ['put visits bob v'],
    'arrived, but kept for a backup',
  )
  assert.deepEqual(dropped(settled({visit: gone})), ['outbox o', 'blobs b', 'visits bob v'])
})

test('a picture that came after the backup is removed with the next one, or after fourteen days', () => {
  assert.deepEqual(dropped(settled({blob: {seq: 6}, backup: 6})), ['outbox o', 'blobs b'])
  const at = new Date(NOW.getTime() - 15 * 86_400_000).toISOString()
  assert.deepEqual(dropped(settled({blob: {seq: 6, at}})), ['outbox o', 'blobs b'])
})

test('a picture that was sent by itself is verified before it is removed', () => {
  const memory = settled({blob: {seq: 5}})
  assert.deepEqual(blobsToVerify(memory, NOW), ['b'])
  assert.deepEqual(dropped(memory, []), [])
  assert.deepEqual(dropped(memory, ['b']), ['outbox o', 'blobs b'])
  assert.deepEqual(
    blobsToVerify(settled({blob: {seq: 6}}), NOW),
    [],
    'nothing to ask while it stays',
  )
})

test('a struck photo holds no picture on the phone, sent or not', () => {
  const photo = {kind: 'visit.photo', data: {item: 'i37', photo: 'b'}, device_seq: 1}
  const strike = {
    id: 'r',
    by: 'bob',
    visit: 'v',
    sha256: 's',
    text: '',
    operation: {kind: 'visit.retract', data: {operation: 'o'}, device_seq: 2},
  }
  const memory = settled({row: {operation: photo}, backup: 4})
  assert.deepEqual(dropped(memory), [])
  memory.outbox.set('r', strike)
  assert.deepEqual(dropped(memory), ['blobs b'])
})

test('a receipt outlives its operation by sixty days', () => {
  const memory = at => {
    const one = settled({receipt: {at}, blob: {at}})
    one.outbox.clear()
    one.blobs.clear()
    return one
  }
  assert.deepEqual(dropped(memory('2026-09-24T10:00:00Z')), [])
  assert.deepEqual(dropped(memory('2026-09-22T10:00:00Z')), ['receipts o', 'receipts b'])
})

test('offering again forgets the verdicts of the server, not what the phone found damaged', () => {
  const ids = memory => offerAgain(memory).map(one => one.id)
  assert.deepEqual(ids(settled()), ['o', 'b'])
  assert.deepEqual(ids(settled({receipt: {result: 'damaged'}})), ['b'])
})

test('without a backup, sent work stays for the days the company sets, and never past fourteen', () => {
  const memory = (days, keep) => {
    const at = new Date(NOW.getTime() - days * 86_400_000 - 1).toISOString()
    const one = settled({backup: 0, receipt: {at}, blob: {at}})
    if (keep) one.meta.set('keep_days', {id: 'keep_days', value: keep})
    return one
  }
  for (const [days, keep, leaves] of [
    [13, 0, false],
    [14, 0, true],
    [3, 3, true],
    [2, 3, false],
    [14, 99, true],
  ]) {
    assert.deepEqual(
      dropped(memory(days, keep)),
      leaves ? ['outbox o', 'blobs b'] : [],
      `${days} days of ${keep}`,
    )
  }
})
