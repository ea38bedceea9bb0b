// The database of every released phone, opened by today's app: what lay there unsent is shown, sent
// with its own bytes, and work goes on. The files are never made anew (release.mjs).

import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {readdirSync, readFileSync} from 'node:fs'
import {test} from 'node:test'

import {newPhone, outbox, until} from './phone.mjs'
import {Server} from './server.mjs'

const {startSync} = await import('../../static/field/sync/schedule.js')
const RELEASED = new URL('../data/released/', import.meta.url)

function lay(name, {version, stores}) {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open(name, version)
    open.onerror = reject
    open.onupgradeneeded = () => {
      for (const store of Object.keys(stores)) open.result.createObjectStore(store, {keyPath: 'id'})
    }
    open.onsuccess = () => {
      const db = open.result
      const tx = db.transaction(Object.keys(stores), 'readwrite')
      for (const [store, rows] of Object.entries(stores)) {
        for (const {bytes, ...row} of rows)
          tx.objectStore(store).put(
            bytes ? {...row, bytes: new Uint8Array(Buffer.from(bytes, 'base64')).buffer} : row,
          )
      }
      tx.oncomplete = () => {
        db.close()
        resolve()
      }
      tx.onerror = reject
    }
  })
}

/** The server as that phone left it: it has what the phone shows as sent. */
function serverOf({person, planned, pushes, unsent}) {
  const server = new Server()
  server.user = person.id
  server.desk('visit.plan', planned, {tenancy: '', kind: 'welcome'})
  server.desk('visit.assign', planned, {visitors: [person.id], date: '2026-11-23'}, [person.id])
  for (const text of pushes.flatMap(one => one.operations))
    if (!unsent.includes(JSON.parse(text).id)) server.append(text)
  for (const {sha256, text} of pushes[0].blobs) server.blobs.set(sha256, Buffer.from(text))
  return server
}

for (const release of readdirSync(RELEASED)) {
  const phone = JSON.parse(readFileSync(new URL(`${release}/phone.json`, RELEASED), 'utf8'))
  const texts = phone.pushes.flatMap(one => one.operations)

  test(`I1: an update from release ${release} loses nothing of an unsent outbox and sends it with its own bytes`, async () => {
    const {name, tab} = newPhone()
    await lay(name, phone)
    const store = await tab()
    assert.deepEqual([store.enrolled, store.lost, store.device.id], [true, null, phone.device])
    assert.equal((await store.person()).id, phone.person.id)
    assert.equal((await outbox.counts(store)).unsent, phone.unsent.length)
    const shown = (await store.visit(phone.visit)).record
    assert.deepEqual(
      [shown.cells['answer.i09'][0].value, shown.notes[0].text, shown.consents.length],
      ['done', 'Kranen droppar "lite" åäö 👍', 3],
    )

    const server = serverOf(phone)
    const sync = startSync(store, {
      fetch: server.fetch,
      window: new EventTarget(),
      locks: null,
      packs: null,
      timer: {set() {}, clear() {}},
      health: async () => ({}),
    })
    await sync.now()
    await until(async () => (await outbox.counts(store)).unsent === 0)
    const arrived = server.log.filter(one => one.operation.device === phone.device)
    const sha = text => createHash('sha256').update(text).digest('hex')
    assert.deepEqual(
      arrived.map(one => one.sha256),
      texts.map(sha),
      'each once, in order, byte by byte',
    )

    const [{id}] = await outbox.saveDrafts(store, [
      {
        kind: 'visit.note',
        subject: {type: 'visit', id: phone.visit},
        data: {item: '', text: 'after'},
      },
    ])
    assert.equal((await store.read()).outbox.get(id).operation.device_seq, texts.length + 1)
    sync.stop()
  })
}
