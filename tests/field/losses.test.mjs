// A database that does not open, one the browser threw away, a full phone: what was saved is not
// deleted, a loss is reported, and the phone can be used again.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {BOB, enrolled, newPhone, note, outbox, SaveFailed, until, VISIT} from './phone.mjs'
import {pushes, signed, svg, world} from './world.mjs'

const {saveDrafts, counts} = outbox
const {startSync} = await import('../../static/field/sync/schedule.js')
const {databaseNumbers} = await import('../../static/field/store/database.js')

const open = IDBFactory.prototype.open

/** The named database fails to open as `error`, until the returned function is called. */
function broken(name, error = 'UnknownError') {
  IDBFactory.prototype.open = function opened(wanted, version) {
    if (wanted === name) throw new DOMException('Internal error opening backing store', error)
    return open.call(this, wanted, version)
  }
  return () => {
    IDBFactory.prototype.open = open
  }
}

const textsOf = async store =>
  [...(await store.read()).outbox.values()]
    .map(row => row.operation.data.text ?? row.operation.kind)
    .sort()

/** A phone with two unsent operations whose database does not open any more. */
async function unopenable() {
  const {phone, store} = await enrolled()
  await saveDrafts(store, [note('kept')])
  const {hash} = await signed(store, svg('M1 1'))
  await until(() => phone.storages[0].getItem('troskel-canary').includes('"unsent":2'))
  const heal = broken(phone.name)
  return {phone, before: store, hash, heal}
}

test('I1: a database that does not open is kept, reported with how much was unsent, and replaced at enrolment only', async () => {
  const {phone, before, heal} = await unopenable()
  try {
    const store = await phone.tab()
    assert.equal(store.enrolled, false)
    assert.deepEqual(store.lost, {
      reason: 'unopenable',
      device: before.device.id,
      device_seq: 2,
      unsent: 2,
    })
    assert.deepEqual(await databaseNumbers(phone.name), [1], 'a second database was made silently')
    await store.enrol()
    await store.signIn(BOB)
    await store.salvaged
    assert.notEqual(store.device.id, before.device.id)
    await saveDrafts(store, [note('new')])
    assert.deepEqual(await databaseNumbers(phone.name), [2, 1])
    assert.deepEqual(await textsOf(await phone.tab()), ['new'])
  } finally {
    heal()
  }
})

test('I1: what an unopenable database holds is copied as soon as it opens, with its ids and bytes, and sent once', async () => {
  const {phone, before, hash, heal} = await unopenable()
  const rows = [...(await before.read()).outbox.values()].map(row => [row.id, row.sha256])
  const store = await phone.tab()
  await store.enrol()
  await store.signIn(BOB)
  await store.salvaged
  await saveDrafts(store, [note('new')])
  heal()
  const later = await phone.tab()
  await later.salvaged
  assert.deepEqual(await textsOf(later), ['kept', 'new', 'visit.consent'])
  const {server, parts} = await world()
  server.requests.length = 0
  const sync = startSync(later, parts)
  await sync.now()
  assert.deepEqual(await counts(later), {unsent: 0, needs: 0, waits: 0})
  for (const [id, sha256] of rows)
    assert.deepEqual(
      server.log.filter(one => one.id === id).map(one => one.sha256),
      [sha256],
    )
  assert.ok(server.blobs.has(hash))
  const sent = pushes(server)
    .filter(one => one.body.operations.length > 0)
    .map(({body}) => [body.device, body.key, body.operations.map(text => JSON.parse(text).device)])
  assert.deepEqual(sent.slice(0, 2), [
    // what the pull does not confirm is offered once more
    [before.device.id, before.device.key, [before.device.id, before.device.id]],
    [later.device.id, later.device.key, [later.device.id]],
  ])
  const reports = server.health.filter(one => one?.lost)
  assert.deepEqual(
    reports.map(one => [one.lost, one.lost_unsent, one.recovered]),
    [['unopenable', 2, 2]],
  )
  assert.deepEqual(await databaseNumbers(phone.name), [2, 1], 'the old one was deleted')
  const third = await phone.tab()
  await third.salvaged
  assert.deepEqual(await counts(third), {unsent: 0, needs: 0, waits: 0})
  assert.ok(!(await third.read()).meta.has('recovered'), 'it was fetched again')
  await third.update(({outbox: all, receipts}) => [
    ...[...all.keys()].map(id => ({drop: 'outbox', id})),
    ...[...receipts.keys()].map(id => ({drop: 'receipts', id})),
  ])
  const fourth = await phone.tab()
  await fourth.salvaged
  assert.equal((await fourth.read()).outbox.size, 0, 'what had left came back')
  sync.stop()
})

test('I1: a database that the browser does not even list is asked for at each start', async () => {
  const {phone, heal} = await unopenable()
  const {databases} = IDBFactory.prototype
  IDBFactory.prototype.databases = async function listed() {
    return (await databases.call(this)).filter(one => one.name !== phone.name)
  }
  try {
    const store = await phone.tab()
    await store.enrol()
    heal()
    const later = await phone.tab()
    await later.salvaged
    assert.deepEqual(await textsOf(later), ['kept', 'visit.consent'])
    const again = broken(`${phone.name}-2`)
    IDBFactory.prototype.databases = async () => []
    const third = await phone.tab()
    again()
    assert.equal(third.lost.reason, 'unopenable', 'the first one was taken for the newest')
  } finally {
    heal()
    Object.assign(IDBFactory.prototype, {databases})
  }
})

test('nothing is ever being written while an earlier database is opened', async () => {
  const {phone, heal} = await unopenable()
  const failing = IDBFactory.prototype.open
  const {transaction} = IDBDatabase.prototype
  const writing = new Set()
  const met = []
  IDBDatabase.prototype.transaction = function watched(...asked) {
    const made = transaction.apply(this, asked)
    if (this.name === `${phone.name}-2` && made.mode === 'readwrite') {
      writing.add(made)
      for (const end of ['complete', 'abort'])
        made.addEventListener(end, () => writing.delete(made))
    }
    return made
  }
  IDBFactory.prototype.open = function watched(...asked) {
    if (asked[0] === phone.name) met.push(writing.size)
    return failing.apply(this, asked)
  }
  try {
    for (let n = 0; n < 2; n++) {
      const store = await phone.tab()
      await store.enrol()
      met.push('started')
      await store.signIn(BOB)
      await saveDrafts(store, [note(`new ${n}`)])
      await store.salvaged
      await until(() => writing.size === 0) // as a tab that is closed
    }
    assert.deepEqual(new Set(met.slice(met.indexOf('started'))), new Set(['started', 0]))
    assert.equal(met.at(-1), 'started')
  } finally {
    Object.assign(IDBDatabase.prototype, {transaction})
    heal()
  }
})

test('salvage takes row by row what a damaged store still gives', async () => {
  const {phone, store} = await enrolled()
  const [{id: bad}, {id: good}] = await saveDrafts(store, [note('bad'), note('good')])
  const heal = broken(phone.name)
  const next = await phone.tab()
  await next.enrol()
  await next.signIn(BOB)
  heal()
  const {getAll, get} = IDBObjectStore.prototype
  const fail = () => {
    throw new DOMException('damaged', 'DataError')
  }
  IDBObjectStore.prototype.getAll = function damaged(...asked) {
    return this.name === 'outbox' && this.transaction.db.name === phone.name
      ? fail()
      : getAll.apply(this, asked)
  }
  IDBObjectStore.prototype.get = function damaged(key) {
    return key === bad ? fail() : get.call(this, key)
  }
  try {
    const later = await phone.tab()
    await later.salvaged
    assert.deepEqual([...(await later.read()).outbox.keys()], [good])
  } finally {
    Object.assign(IDBObjectStore.prototype, {getAll, get})
  }
})

test('an app that is older than the database, or locked storage, is no loss', async () => {
  const {phone} = await enrolled()
  for (const name of ['VersionError', 'SecurityError', 'QuotaExceededError']) {
    const heal = broken(phone.name, name)
    try {
      await assert.rejects(phone.tab(), error => error.name === name)
    } finally {
      heal()
    }
  }
})

test('a browser that reports deleted data is trusted, without any canary', async () => {
  const phone = newPhone()
  IDBFactory.prototype.open = function opened(...asked) {
    const request = open.apply(this, asked)
    request.addEventListener('upgradeneeded', event =>
      Object.defineProperty(event, 'dataLoss', {value: 'total'}),
    )
    return request
  }
  try {
    const store = await phone.tab()
    assert.equal(store.lost.reason, 'emptied')
    assert.deepEqual(await databaseNumbers(phone.name), [])
  } finally {
    IDBFactory.prototype.open = open
  }
})

// --- the key

test('a phone proves itself with one key, also one that was enrolled before phones had keys', async () => {
  const {phone, store} = await enrolled()
  assert.match(store.device.key, /^[0-9a-f]{64}$/)
  await store.update(memory => {
    const {key, ...older} = memory.meta.get('device').value
    return [{put: 'meta', value: {id: 'device', value: older}}]
  })
  const [one, two] = await Promise.all([phone.tab(), phone.tab()])
  assert.match(one.device.key, /^[0-9a-f]{64}$/)
  assert.deepEqual([two.device, one.device.id], [one.device, store.device.id])
  const {server, parts} = await world()
  server.requests.length = 0
  const sync = startSync(one, parts)
  await sync.now()
  assert.deepEqual(
    pushes(server).map(({body}) => [body.device, body.key]),
    [[one.device.id, one.device.key]],
  )
  sync.stop()
})

test('a phone put back to a copy from before its key is a new device: the server would not know it', async () => {
  const {phone, store} = await enrolled()
  await store.update(memory => {
    const {key, ...older} = memory.meta.get('device').value
    return [{put: 'meta', value: {id: 'device', value: older}}]
  })
  phone.storages[0].setItem(
    'troskel-canary',
    JSON.stringify({device: store.device.id, device_seq: 7, unsent: 3}),
  )
  const older = await phone.tab()
  assert.notEqual(older.device.id, store.device.id)
  assert.equal(older.lost.reason, 'rolled_back')
})

// --- a full phone

/** Every write fails for want of space, as in Chromium: requests only say that they were aborted. */
function full() {
  const {put} = IDBObjectStore.prototype
  let isFull = true
  IDBObjectStore.prototype.put = function refused(...given) {
    const request = put.apply(this, given)
    if (isFull && this.name === 'meta' && given[0].id === 'change') {
      const tx = this.transaction
      queueMicrotask(() => {
        Object.defineProperty(tx, 'error', {value: new DOMException('full', 'QuotaExceededError')})
        tx.abort()
      })
    }
    return request
  }
  return {
    free: () => {
      isFull = false
    },
    heal: () => {
      IDBObjectStore.prototype.put = put
    },
  }
}

test('I1: a full phone deletes its ballast to finish a save, and reports it', async () => {
  const phone = newPhone()
  const space = {drops: 0}
  let disk = null
  const store = await phone.tab({
    ballast: {
      drop: async () => {
        space.drops++
        disk?.free()
        return space.drops === 1
      },
    },
  })
  await store.enrol()
  await store.signIn(BOB)
  disk = full()
  try {
    const [{id}] = await saveDrafts(store, [note('written')])
    assert.ok((await store.read()).outbox.has(id))
    assert.deepEqual([space.drops, store.tight], [1, true])
  } finally {
    disk.heal()
  }
})

test('a picture never takes the space held back for words', async () => {
  const phone = newPhone()
  const space = {drops: 0}
  const store = await phone.tab({
    ballast: {
      drop: async () => {
        space.drops++
        return true
      },
    },
  })
  await store.enrol()
  await store.signIn(BOB)
  const disk = full()
  try {
    await assert.rejects(
      signed(store, svg('M2 2'), 'image/jpeg'),
      error => error instanceof SaveFailed && error.code === 'quota',
    )
    assert.equal(space.drops, 0)
    await assert.rejects(saveDrafts(store, [note('x')]), error => error.code === 'quota')
    assert.equal(space.drops, 1)
    assert.equal((await store.read()).outbox.size, 0)
  } finally {
    disk.heal()
  }
  await saveDrafts(store, [note(VISIT)])
})
