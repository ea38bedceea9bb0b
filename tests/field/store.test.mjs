// The phone's database as such: when it may be made, what its loss looks like, what it shows.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {
  AMIRA,
  BOB,
  enrolled,
  MemoryStorage,
  newPhone,
  note,
  outbox,
  until,
  VISIT,
} from './phone.mjs'

const {saveDrafts} = outbox
const {cacheCanary, detectLoss, localCanary} = await import('../../static/field/store/canary.js')
const {visitKey} = await import('../../static/field/record/replay.js')
const {PENDING} = await import('../../static/build/constants.js')
const {Database} = await import('../../static/field/store/database.js')

const TENANCY = '0a000000-0000-4000-8000-00000000000a'
const databases = async () => (await indexedDB.databases()).map(one => one.name)
const markOf = storage => JSON.parse(storage.getItem('troskel-canary'))

function snapshot(by, seq, extra = {}) {
  const record = {
    type: 'visit',
    id: VISIT,
    seq,
    tenancy: TENANCY,
    kind: 'welcome',
    cells: {},
    notes: [],
    follow_ups: [],
    attempts: [],
    consents: [],
    reviews: [],
    assignments: [],
    retracted: [],
    late: [],
    content: {},
    content_seq: 0,
    blobs: [],
  }
  const value = {
    id: visitKey(by, VISIT),
    by,
    visit: VISIT,
    seq,
    gone: '',
    stale: false,
    record,
    tenancy: {street: 'Testgatan 1'},
    settings: {quiet_from: '22:00'},
    ...extra,
  }
  return {put: 'visits', value}
}

test('opening a phone that was never enrolled makes no database', async () => {
  const phone = newPhone()
  const store = await phone.tab()
  assert.equal(store.enrolled, false)
  assert.equal(store.lost, null)
  assert.ok(!(await databases()).includes(phone.name))
  assert.deepEqual(
    [await store.visits(), await store.person(), await outbox.unsent(store)],
    [[], null, []],
  )
})

test('enrolling twice, or in two tabs, is one device', async () => {
  const phone = newPhone()
  const [one, two] = [await phone.tab(), await phone.tab()]
  await Promise.all([one.enrol(), two.enrol()])
  await one.enrol()
  assert.equal(one.device.id, two.device.id)
  assert.equal((await phone.tab()).device.id, one.device.id)
})

test('an emptied database is a loss that is shown until it was reported', async () => {
  const {phone, store} = await enrolled()
  await saveDrafts(store, [note('a'), note('b')])
  await until(() => markOf(phone.storages[0])?.unsent === 2)
  await phone.wipe()
  const empty = await phone.tab()
  const lost = {reason: 'emptied', device: store.device.id, device_seq: 2, unsent: 2}
  assert.equal(empty.enrolled, false)
  assert.deepEqual(empty.lost, lost)
  assert.ok(!(await databases()).includes(phone.name), 'an empty database was made silently')
  await empty.enrol()
  assert.notEqual(empty.device.id, store.device.id)
  const later = await phone.tab()
  assert.deepEqual(later.lost, lost)
  await later.update(() => [{drop: 'meta', id: 'lost'}])
  assert.equal((await phone.tab()).lost, null)
})

test('a database deleted under an open page is not made anew by it', async () => {
  const {phone, store} = await enrolled()
  await phone.wipe()
  await assert.rejects(saveDrafts(store, [note('x')]), error => error.code === 'missing')
  assert.ok(!(await databases()).includes(phone.name))
})

test('one canary is enough to notice, and an empty one is no loss', async () => {
  const {phone, store} = await enrolled()
  await saveDrafts(store, [note('a')])
  await until(() => markOf(phone.storages[1])?.device_seq === 1)
  phone.storages[0].kept.clear()
  assert.equal((await phone.tab()).lost, null)
  await until(() => markOf(phone.storages[0])?.device_seq === 1) // put right again
  phone.storages[0].kept.clear()
  await phone.wipe()
  assert.equal((await phone.tab()).lost.reason, 'emptied')
})

test('a database put back to an older copy is noticed, and no number is given twice', async () => {
  const {phone, store} = await enrolled()
  await saveDrafts(store, [note('a')])
  phone.storages[0].setItem(
    'troskel-canary',
    JSON.stringify({device: store.device.id, device_seq: 7, unsent: 3}),
  )
  const older = await phone.tab()
  assert.deepEqual(older.lost, {
    reason: 'rolled_back',
    device: store.device.id,
    device_seq: 7,
    unsent: 3,
  })
  await saveDrafts(older, [note('b')])
  const numbers = [...(await older.read()).outbox.values()].map(row => row.operation.device_seq)
  assert.deepEqual(numbers.sort(), [1, 8])
})

test('a canary of another device means a loss', () => {
  assert.equal(
    detectLoss({id: 'b', device_seq: 9}, [{device: 'a', device_seq: 3, unsent: 1}]).reason,
    'other',
  )
  assert.equal(
    detectLoss({id: 'b', device_seq: 9}, [{device: 'b', device_seq: 9, unsent: 1}]),
    null,
  )
  assert.equal(detectLoss(null, []), null)
})

test('canaries that cannot be read or written stop nothing', async () => {
  const phone = newPhone()
  const broken = localCanary({
    getItem() {
      throw new Error('no')
    },
    setItem() {
      throw new Error('no')
    },
  })
  const nonsense = new MemoryStorage()
  nonsense.setItem('troskel-canary', '{"device": 3}')
  const store = await phone.tab({canaries: [broken, localCanary(nonsense)]})
  assert.equal(store.lost, null)
  await store.enrol()
  await store.signIn(BOB)
  await saveDrafts(store, [note('x')])
  await until(() => markOf(nonsense)?.device === store.device.id)
})

test('the canary in the Cache API gives back what was written', async () => {
  const kept = new Map()
  const caches = {
    match: async (url, {cacheName}) => kept.get(`${cacheName} ${url}`)?.clone(),
    open: async name => ({
      put: async (url, response) => {
        kept.set(`${name} ${url}`, response)
      },
    }),
  }
  const canary = cacheCanary(caches)
  assert.equal(await canary.read(), null)
  await canary.write({device: 'a', device_seq: 1, unsent: 0})
  assert.deepEqual(await canary.read(), {device: 'a', device_seq: 1, unsent: 0})
})

test('own work is shown on top of the snapshot until a snapshot contains it', async () => {
  const {store} = await enrolled()
  await store.update(() => [snapshot('bob', 10)])
  const [{id}] = await saveDrafts(store, [note('mine')])
  const shown = await store.visit(VISIT)
  assert.equal((await store.read()).outbox.get(id).operation.base, 10)
  assert.deepEqual(
    shown.record.notes.map(one => [one.text, one.seq]),
    [['mine', PENDING]],
  )
  assert.deepEqual(
    [shown.state, shown.unsent, shown.held, shown.status],
    ['started', 1, 0, {[id]: 'phone'}],
  )
  assert.deepEqual(shown.tenancy, {street: 'Testgatan 1'})
  assert.deepEqual(
    (await store.read()).visits.get(visitKey('bob', VISIT)).record.notes,
    [],
    'the snapshot was changed',
  )
  const receipt = {
    id,
    by: 'bob',
    visit: VISIT,
    result: 'applied',
    seq: 12,
    problem: '',
    comment: '',
    at: '2026-11-22T10:00:00Z',
  }
  await store.update(() => [{put: 'receipts', value: receipt}])
  assert.equal(
    (await store.visit(VISIT)).record.notes.length,
    1,
    'answered, not yet in the snapshot',
  )
  await store.update(() => [snapshot('bob', 12)])
  const contained = await store.visit(VISIT)
  assert.deepEqual([contained.record.notes, contained.status], [[], {[id]: 'sent'}])
})

test('a snapshot belongs to the person it was made for', async () => {
  const {store} = await enrolled()
  await store.update(() => [snapshot('bob', 10)])
  assert.equal((await store.visits()).length, 1)
  await store.signIn(AMIRA)
  assert.deepEqual([await store.visits(), await store.visit(VISIT)], [[], null])
})

test('a visit opened at the door borrows the address of its tenancy', async () => {
  const {store} = await enrolled()
  await store.update(() => [snapshot('bob', 10)])
  const id = '6f1c0000-0000-4000-8000-000000000002'
  await saveDrafts(store, [
    {
      kind: 'visit.open',
      subject: {type: 'visit', id},
      data: {tenancy: TENANCY, kind: 'revisit', language: 'so'},
    },
  ])
  const opened = await store.visit(id)
  assert.deepEqual(
    [opened.tenancy.street, opened.settings.quiet_from, opened.record.kind],
    ['Testgatan 1', '22:00', 'revisit'],
  )
  assert.equal((await store.visits()).length, 2)
})

test('what one tab writes, the other shows', async () => {
  const {phone, store} = await enrolled()
  const other = await phone.tab()
  await store.update(() => [snapshot('bob', 10)])
  assert.equal((await other.visits()).length, 1)
  await saveDrafts(other, [note('from the other')])
  assert.equal((await store.visit(VISIT)).record.notes[0].text, 'from the other')
})

test('a row that can no longer be read keeps its place and is seen', async () => {
  const {phone, store} = await enrolled()
  const [{id}] = await saveDrafts(store, [note('x')])
  await new Promise((resolve, reject) => {
    const open = indexedDB.open(phone.name)
    open.onsuccess = () => {
      const tx = open.result.transaction(['outbox', 'meta'], 'readwrite')
      tx.objectStore('outbox').put({
        id,
        by: 'bob',
        visit: VISIT,
        sha256: 'x',
        bytes: new Uint8Array([0xff, 0xfe]).buffer,
      })
      tx.oncomplete = () => {
        open.result.close()
        resolve()
      }
      tx.onerror = reject
    }
  })
  const again = await phone.tab()
  assert.deepEqual((await outbox.counts(again)).unsent, 1)
  assert.deepEqual(await again.visits(), [])
})

test('a newer app in another tab is not kept waiting, and the older one says that it is older', async () => {
  const {phone, store} = await enrolled()
  await saveDrafts(store, [note('before')])
  const upgraded = await new Promise((resolve, reject) => {
    const open = indexedDB.open(phone.name, 2)
    open.onupgradeneeded = () => open.result.createObjectStore('new')
    open.onsuccess = () => resolve(open.result)
    open.onerror = open.onblocked = reject
  })
  await assert.rejects(
    saveDrafts(store, [note('after')]),
    error => error.name === 'SaveFailed' && error.code === 'app_older',
  )
  assert.equal(upgraded.objectStoreNames.length, 6)
  upgraded.close()
})

test('a connection that falls silent counts as cut: the work is done on another', async () => {
  const silent = new Database(`silent-${Math.random()}`, async () => {}, 30)
  await silent.create([{id: 'device', value: 1}])
  let asked = 0
  const answer = await silent.run(db => (asked++ === 0 ? new Promise(() => {}) : db.name))
  assert.equal(asked, 2)
  assert.match(answer, /^silent-/)
  await assert.rejects(
    silent.run(() => new Promise(() => {})),
    {name: 'AbortError'},
    'a database never keeps anybody waiting for ever',
  )
  silent.close()
})

test('a read never returns what was true before the call, however many call', async () => {
  const {phone, store} = await enrolled()
  const other = await phone.tab()
  let asked = 0
  const {get} = IDBObjectStore.prototype
  IDBObjectStore.prototype.get = function (...given) {
    asked++
    return get.apply(this, given)
  }
  try {
    const early = store.read() // its question is under way while the other tab writes
    const [file, facts] = await Promise.all([store.visit(VISIT), store.facts(), store.read()])
    await early
    assert.equal(asked, 1, 'those who ask in one breath ask once')
    assert.deepEqual([file, facts.guide], [null, ''])
    const before = store.read()
    await Promise.resolve()
    await Promise.resolve() // the question has been put
    const written = other.update(() => [{put: 'meta', value: {id: 'guide', value: 'g2'}}])
    await written
    assert.equal((await store.facts()).guide, 'g2')
    await before
  } finally {
    IDBObjectStore.prototype.get = get
  }
})
