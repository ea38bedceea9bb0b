// Operations that end otherwise than applied: handed over for somebody who does not come back, kept at the
// office as it is, deleted because the tenancy turned out to be protected.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {AMIRA, BOB, note, outbox, VISIT} from './phone.mjs'
import {idsOf, planned, pushes, signed, svg, world} from './world.mjs'

const {saveDrafts, unsent, counts, filed, handOver} = outbox

/** Bob saved something with a signature, without a network; Amira is signed in now. */
async function bobIsAway() {
  const made = await world()
  const {store, server} = made
  planned(server)
  server.user = ''
  const [{id}] = await saveDrafts(store, [note('of Bob')])
  const {hash} = await signed(store, svg('M1 1'))
  await store.signIn(AMIRA)
  server.user = 'amira'
  return {...made, id, hash}
}

test('I6: what waits for somebody is never handed over by itself', async () => {
  const {store, server, sync} = await bobIsAway()
  await sync.now()
  await sync.now()
  assert.deepEqual(pushes(server).flatMap(idsOf), [])
  assert.deepEqual(await counts(store), {unsent: 2, needs: 0, waits: 2})
})

test('I6: what is handed over is held at the server with its exact bytes, and stays hidden on the phone', async () => {
  const {store, server, sync, id, hash} = await bobIsAway()
  await handOver(store, 'bob')
  assert.deepEqual(await counts(store), {unsent: 2, needs: 0, waits: 0})
  await sync.now()
  assert.deepEqual(
    [...server.held.values()].map(one => [one.by, one.problem]),
    [
      ['bob', 'author_mismatch'],
      ['bob', 'author_mismatch'],
    ],
  )
  assert.equal(server.held.get(id).sha256, (await store.read()).outbox.get(id).sha256)
  assert.ok(server.blobs.has(hash))
  const listed = await unsent(store)
  assert.deepEqual(
    listed.map(one => [one.state, one.problem, one.kind, one.data]),
    [
      ['needs', 'author_mismatch', '', {}],
      ['needs', 'author_mismatch', '', {}],
    ],
  )
  assert.deepEqual(await store.visits(), [])
})

test('what Bob writes after a hand-over waits again', async () => {
  const {store, server, sync} = await bobIsAway()
  await handOver(store, 'bob')
  await sync.now()
  await store.signIn(BOB)
  server.user = ''
  const [{id}] = await saveDrafts(store, [note('later')])
  await store.signIn(AMIRA)
  server.user = 'amira'
  await sync.now()
  assert.ok(!server.held.has(id))
  assert.equal((await counts(store)).waits, 1)
})

test('what a supervisor accepts of a hand-over is finished on the phone, and an author who comes back sends it himself', async () => {
  const {store, server, sync, id} = await bobIsAway()
  await handOver(store, 'bob')
  await sync.now()
  const {text} = (await store.read()).outbox.get(id)
  server.held.delete(id)
  server.append(text) // accepted at the desk
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 1, waits: 0})
  await store.signIn(BOB)
  server.user = 'bob'
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  assert.equal(server.log.filter(one => one.id === id).length, 1)
  assert.equal(server.held.size, 0)
})

test('nobody signed in hands nothing over', async () => {
  const {store} = await bobIsAway()
  await store.signOut()
  await assert.rejects(handOver(store, 'bob'), error => error.code === 'nobody')
  assert.equal((await counts(store)).waits, 2)
})

test('I6: what was filed is shown as kept at the office, in no visit, and is removed after its days', async () => {
  const {store, server, sync, clock} = await world()
  planned(server)
  server.holds = operation => (operation.data.text === 'odd' ? 'invalid' : '')
  const [{id}] = await saveDrafts(store, [note('odd')])
  await sync.now()
  assert.deepEqual(
    (await unsent(store)).map(one => one.problem),
    ['invalid'],
  )
  server.holds = operation => (operation.data.text === 'odd' ? 'filed' : '')
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  assert.deepEqual(
    (await filed(store)).map(one => one.data.text),
    ['odd'],
  )
  assert.deepEqual((await store.visit(VISIT)).record.notes, [])
  clock.now = new Date(clock.now.getTime() + 13 * 86_400_000)
  await sync.now()
  assert.ok((await store.read()).outbox.has(id))
  clock.now = new Date(clock.now.getTime() + 2 * 86_400_000)
  await sync.now()
  assert.ok(!(await store.read()).outbox.has(id), 'each new answer began its days anew')
})

test('I6: what was filed and then applied at the desk is shown as sent, also where no pull reports it', async () => {
  const {store, server, sync} = await world()
  planned(server)
  server.holds = operation => (operation.data.text === 'odd' ? 'filed' : '')
  await saveDrafts(store, [note('odd')])
  await sync.now()
  assert.equal((await filed(store)).length, 1)
  server.holds = () => ''
  await sync.now()
  assert.deepEqual(await filed(store), [])
  assert.deepEqual(
    (await store.visit(VISIT)).record.notes.map(one => one.text),
    ['odd'],
  )
})

test('what was deleted because it is protected is reported until the server has acknowledged it', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await saveDrafts(store, [note('before anyone knew')])
  server.holds = () => 'protected'
  server.takeAway(VISIT, 'bob', 'protected')
  await sync.now()
  const memory = await store.read()
  assert.deepEqual([memory.outbox.size, memory.visits.size], [0, 0])
  assert.deepEqual(memory.meta.get('deleted').value, [VISIT])
  server.meddle = ({path}, answer) => {
    if (path === '/sync/push') throw new TypeError('no network')
    return answer()
  }
  await sync.now()
  assert.deepEqual((await store.read()).meta.get('deleted').value, [VISIT])
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.deepEqual(server.health.at(-1).deleted, [VISIT])
  assert.ok(!(await store.read()).meta.has('deleted'))
  const before = server.health.length
  await sync.now()
  assert.equal(server.health.length, before)
})

test('a rescue copy has the exact bytes and the signatures of who is signed in, and nothing of others', async () => {
  const {store} = await bobIsAway()
  const {rescueCopy} = await import('../../static/field/pages/outbox.js')
  assert.deepEqual((await rescueCopy(store, new Date())).operations, [])
  await store.signIn(BOB)
  const copy = JSON.parse(JSON.stringify(await rescueCopy(store, new Date())))
  const rows = [...(await store.read()).outbox.values()]
  assert.deepEqual(copy.operations.map(one => one.text).sort(), rows.map(row => row.text).sort())
  assert.deepEqual(
    copy.blobs.map(one => Buffer.from(one.base64, 'base64').toString()),
    [Buffer.from(svg('M1 1')).toString()],
  )
  assert.ok(!JSON.stringify(copy).includes(store.device.key), 'the key left the phone')
})
