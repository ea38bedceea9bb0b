// Pulling: visits that come and go, restored servers, what may be removed from the phone.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {AMIRA, BOB, note, outbox, until, VISIT} from './phone.mjs'
import {PAGE} from './server.mjs'
import {idsOf, planned, pushes, signed, svg, world} from './world.mjs'

const {saveDrafts, counts} = outbox
const {startSync} = await import('../../static/field/sync/schedule.js')
const {uuid4, uuid7} = await import('../../static/field/record/ids.js')
const {visitKey} = await import('../../static/field/record/replay.js')

test('a visit that is gone stays while something of it is unsent, and goes when it has arrived', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await saveDrafts(store, [note('late')])
  server.takeAway(VISIT, 'bob')
  server.meddle = ({path}, answer) =>
    path === '/sync/push' ? new Response('', {status: 503}) : answer()
  await sync.now() // the push fails, so does the round
  assert.equal((await store.visits()).length, 1)
  // A pull brings it while the note is still here.
  const {pullAll} = await import('../../static/field/sync/pull.js')
  const {transport} = await import('../../static/field/sync/transport.js')
  await pullAll(store, transport(server.fetch), 'bob', () => new Date())
  const kept = await store.visit(VISIT)
  assert.deepEqual([kept.record.notes.length, kept.tenancy.street], [1, 'Testgatan 1'])
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.deepEqual(server.texts(), ['late'])
  assert.deepEqual([await store.visits(), await store.visit(VISIT)], [[], null])
  const [mark] = (await store.read()).visits.values()
  assert.deepEqual([mark.record, mark.tenancy], [null, {}], 'the address stayed behind')
})

test('a visit opened at the door that is taken away later does not come back from its own replay', async () => {
  const {store, server, sync} = await world()
  await saveDrafts(store, [
    {
      kind: 'visit.open',
      subject: {type: 'visit', id: VISIT},
      data: {tenancy: '', kind: 'contact', language: ''},
    },
  ])
  await sync.now()
  assert.equal((await store.visits()).length, 1)
  server.takeAway(VISIT, 'bob')
  await sync.now()
  assert.deepEqual(await store.visits(), [])
  server.show(VISIT, 'bob')
  server.desk('visit.assign', VISIT, {visitors: ['bob']})
  await sync.now()
  assert.equal((await store.visits()).length, 1)
})

test('of a protected tenancy nothing is left once everything has arrived', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  const {hash} = await signed(store, svg('M0 0'))
  await store.update(memory => [
    {
      put: 'visits',
      value: {
        ...memory.visits.get(visitKey('bob', VISIT)),
        id: visitKey('amira', VISIT),
        by: 'amira',
      },
    },
  ])
  server.holds = () => 'protected'
  server.takeAway(VISIT, 'bob', 'protected')
  await sync.now()
  const memory = await store.read()
  assert.deepEqual(
    [memory.outbox.size, memory.visits.size, memory.blobs.size, memory.receipts.size],
    [0, 0, 0, 0],
  )
  assert.ok(
    server.held.size === 1 && server.blobs.has(hash),
    'it was deleted before it had arrived',
  )
  assert.equal(await store.blob(hash), null)
})

test('of a visit opened here for a protected tenancy nothing is left, though the server never showed it', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  const visit = uuid4()
  const subject = {type: 'visit', id: visit}
  await saveDrafts(store, [
    {kind: 'visit.open', subject, data: {tenancy: uuid4(), kind: 'revisit', language: ''}},
    {kind: 'visit.note', subject, data: {item: '', text: 'hers'}},
  ])
  server.holds = ({kind}) => (kind === 'visit.open' ? 'protected' : 'unknown_subject')
  server.gone.push({seq: server.log.length + 1, user: 'bob', id: visit, reason: 'protected'})
  await sync.now()
  const memory = await store.read()
  assert.deepEqual([server.held.size, memory.outbox.size, memory.visits.size], [2, 0, 1])
  assert.deepEqual(memory.meta.get('deleted').value, [visit])
})

test('of a protected tenancy nothing is deleted before all of it has arrived, by whomever it was written', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await store.signIn(AMIRA)
  await saveDrafts(store, [note('hers')])
  await store.signIn(BOB)
  await saveDrafts(store, [note('his')])
  server.holds = () => 'protected'
  server.takeAway(VISIT, 'bob', 'protected')
  await sync.now()
  const held = () => [...server.held.values()].length
  assert.deepEqual(
    [held(), (await store.read()).outbox.size, (await counts(store)).waits],
    [1, 2, 1],
  )
  assert.equal(await store.visit(VISIT), null, 'his part has arrived: nothing of it is shown')
  server.user = 'amira'
  await store.signIn(AMIRA)
  await sync.now()
  assert.deepEqual(
    [held(), (await store.read()).outbox.size, (await store.read()).visits.size],
    [2, 0, 0],
  )
})

test('a visit that was gone before its first snapshot came does not stay on the phone', async () => {
  const {store, server, sync} = await world()
  await saveDrafts(store, [
    {
      kind: 'visit.open',
      subject: {type: 'visit', id: VISIT},
      data: {tenancy: '', kind: 'contact', language: ''},
    },
  ])
  server.meddle = ({path}, answer) => (path === '/sync/pull' ? PAGE() : answer())
  await sync.now()
  assert.equal((await store.visits()).length, 1, 'sent, but not seen yet')
  server.takeAway(VISIT, 'bob')
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.deepEqual(await store.visits(), [])
})

test('an old page that arrives late does not undo a newer one of another tab', async () => {
  const {phone, store, server, sync, parts} = await world()
  planned(server)
  let open
  const gate = new Promise(resolve => {
    open = resolve
  })
  let pulls = 0
  server.meddle = async ({path}, answer) => {
    const response = await answer()
    if (path === '/sync/pull' && ++pulls === 1) await gate
    return response
  }
  const slow = sync.now()
  await until(() => pulls === 1)
  server.desk('visit.assign', VISIT, {date: '2026-12-24'})
  const other = startSync(await phone.tab(), parts)
  await other.now()
  open()
  await slow
  assert.equal((await store.visit(VISIT)).record.cells.date.at(-1).value, '2026-12-24')
  await sync.now()
  assert.equal((await store.visit(VISIT)).record.cells.date.at(-1).value, '2026-12-24')
})

test('a server put back to an older state gets everything again that this phone still holds', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await saveDrafts(store, [note('a')])
  await sync.now()
  const at = server.log.length
  await saveDrafts(store, [note('b'), note('c')])
  await sync.now()
  assert.deepEqual(server.texts(), ['a', 'b', 'c'])
  server.restore(at)
  await sync.now()
  assert.deepEqual(server.texts(), ['a', 'b', 'c'])
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  await sync.now()
  assert.deepEqual(
    (await store.visit(VISIT)).record.notes.map(one => one.text),
    ['a', 'b', 'c'],
  )
})

/** A phone whose note was acknowledged, and whose server was then put back, before any pull. */
async function acknowledgedThenLost() {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  server.meddle = ({path}, answer) =>
    path === '/sync/pull' ? new Response('', {status: 503}) : answer()
  const [{id}] = await saveDrafts(store, [note('precious')])
  await sync.now()
  assert.deepEqual(
    [server.texts(), await counts(store)],
    [['precious'], {unsent: 0, needs: 0, waits: 0}],
  )
  server.restore(2) // as far as the phone's cursor: its digest is right
  server.meddle = (request, answer) => answer()
  return {store, server, sync, id}
}

test('what was acknowledged after the last pull and lost by the server is offered again', async () => {
  const {store, server, sync} = await acknowledgedThenLost()
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test("it is offered again also when its number has become another operation's", async () => {
  const {store, server, sync, id} = await acknowledgedThenLost()
  for (let n = 0; n < 5; n++)
    server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-24'}, ['bob'])
  server.backup = server.log.length
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  await sync.now()
  const shown = (await store.visit(VISIT)).record.notes
  assert.deepEqual([shown.length, shown[0].id, shown[0].seq], [1, id, server.log.length])
})

test("a backup in somebody else's pull removes nobody's work: a first sign-in cannot see that the server was put back", async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await saveDrafts(store, [note('precious')])
  await sync.now()
  await sync.now() // a pull confirms it
  server.restore(2)
  await store.signOut()
  await store.signIn(AMIRA)
  server.user = 'amira'
  await saveDrafts(store, [note('hers'), note('more'), note('and more')])
  await sync.now()
  server.backup = server.log.length
  await sync.now()
  await sync.now()
  assert.deepEqual(server.texts(), ['hers', 'more', 'and more'])
  await store.signOut()
  await store.signIn(BOB)
  server.user = 'bob'
  await sync.now()
  assert.ok(server.texts().includes('precious'))
})

test('a push has no cursor, so the backup in its answer removes nothing', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await saveDrafts(store, [note('precious')])
  await sync.now()
  await sync.now()
  server.restore(2)
  for (let n = 0; n < 5; n++)
    server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-24'}, ['bob'])
  server.backup = server.log.length
  await saveDrafts(store, [note('later')])
  await store.signOut()
  await store.signIn(AMIRA) // in another window Bob is still signed in: his work is sent, nothing is pulled
  await sync.now()
  assert.deepEqual(server.texts(), ['later'])
  await store.signIn(BOB)
  await sync.now()
  assert.deepEqual(server.texts().sort(), ['later', 'precious'])
})

test('another operation under the same number does not confirm it', async () => {
  const {store, server, sync} = await acknowledgedThenLost()
  await saveDrafts(store, [note('later')])
  await sync.now() // gets the number that the lost one had
  assert.deepEqual(server.texts().sort(), ['later', 'precious'])
})

test('what another server acknowledged and lost is offered again, though the first one had come further', async () => {
  const {store, server, sync} = await world()
  planned(server)
  for (let n = 0; n < 5; n++)
    server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-24'}, ['bob'])
  await sync.now()
  server.id = 'server-2'
  server.restore(2)
  await store.signIn(BOB)
  server.meddle = ({path}, answer) =>
    path === '/sync/pull' ? new Response('', {status: 503}) : answer()
  await saveDrafts(store, [note('precious')])
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  server.restore(2)
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
})

test('what is acknowledged while a pull is under way is not offered again', async () => {
  const {phone, store, server, sync, parts} = await world()
  planned(server)
  const other = await phone.tab()
  server.meddle = async ({path}, answer) => {
    const response = await answer()
    if (path !== '/sync/pull') return response
    server.meddle = (request, go) => go()
    await saveDrafts(other, [note('meanwhile')])
    const {pushAll} = await import('../../static/field/sync/push.js')
    const {transport} = await import('../../static/field/sync/transport.js')
    await pushAll(other, transport(server.fetch), 'bob', {
      again: false,
      greet: false,
      health: parts.health,
      now: parts.now,
    })
    return response
  }
  server.requests.length = 0
  await sync.now()
  assert.equal(pushes(server).length, 1)
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('a pull of several pages is one: what is unconfirmed shows at the last', async () => {
  const {store, server, sync, id} = await acknowledgedThenLost()
  const others = [uuid4(), uuid4(), uuid4()]
  for (const other of others) server.desk('visit.assign', other, {visitors: ['bob']}, ['bob'])
  server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-24'}, ['bob'])
  server.pageSize = 1 // its number is another visit's, on the first page
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  await saveDrafts(store, [
    {kind: 'visit.note', subject: {type: 'visit', id: others[0]}, data: {item: '', text: 'a'}},
    note('b'),
  ])
  server.desk('visit.assign', others[1], {visitors: ['bob'], date: '2026-11-25'}, ['bob'])
  server.requests.length = 0
  await sync.now()
  assert.equal(pushes(server).length, 1)
  assert.equal((await store.visit(VISIT)).status[id], 'sent')
})

test('what a pull cannot confirm is offered once more and no more: a counter, an answer changed at once', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  const answer = one => ({
    kind: 'visit.answer',
    subject: {type: 'visit', id: VISIT},
    data: {item: 'stove', answer: one, guide: 'g1', language: 'ar'},
  })
  await saveDrafts(store, [answer('explained')])
  await saveDrafts(store, [answer('shown')])
  const [{id}] = await saveDrafts(store, [
    {
      kind: 'tally.count',
      subject: {type: 'tally', id: uuid7()},
      data: {day: '2026-11-22', area: 'A', topic: 't', value: 'v'},
    },
  ])
  server.requests.length = 0
  await sync.now()
  // The second answer is there under its number, so the first one is too; the counter is nowhere.
  assert.deepEqual(pushes(server).map(idsOf).slice(1), [[id]])
  await sync.now()
  assert.equal(pushes(server).length, 2)
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('after a reset a visit that the server no longer has is gone, over several pages too', async () => {
  const {store, server, sync} = await world()
  const ids = Array.from({length: 5}, (_, n) => VISIT.replace(/1$/, String(n)))
  for (const id of ids) server.desk('visit.plan', id, {tenancy: '', kind: 'welcome'}, ['bob'])
  server.pageSize = 2
  await sync.now()
  assert.equal((await store.visits()).length, 5)
  server.visits.delete(ids[4])
  server.restore(4)
  await sync.now()
  assert.deepEqual((await store.visits()).map(one => one.id).sort(), ids.slice(0, 4))
})

test('a pull takes several pages', async () => {
  const {store, server, sync} = await world()
  for (let n = 0; n < 7; n++)
    server.desk('visit.plan', VISIT.replace(/1$/, String(n)), {tenancy: '', kind: 'welcome'}, [
      'bob',
    ])
  server.pageSize = 3
  await sync.now()
  assert.equal((await store.visits()).length, 7)
})

test('a sent operation is removed when a snapshot has it and a backup or fourteen days have passed it', async () => {
  const {store, server, sync, clock} = await world()
  planned(server)
  const size = async () => (await store.read()).outbox.size
  await saveDrafts(store, [note('a')])
  await sync.now()
  assert.equal(await size(), 1, 'no backup yet')
  server.backup = 2
  await sync.now()
  assert.equal(await size(), 1, 'the backup is older')
  server.backup = 3
  await sync.now()
  assert.equal(await size(), 0)
  const [{id}] = await saveDrafts(store, [note('b')])
  await sync.now()
  clock.now = new Date('2026-12-06T09:00:00Z')
  await sync.now()
  assert.equal(await size(), 1, 'thirteen days and some hours')
  clock.now = new Date('2026-12-06T11:00:00Z')
  await sync.now()
  assert.equal(await size(), 0)
  await saveDrafts(store, [note('b', id)])
  assert.equal(await size(), 0, 'the same tap again, weeks later')
  assert.deepEqual(
    (await store.visit(VISIT)).record.notes.map(one => one.text),
    ['a', 'b'],
  )
})

test('an operation that no snapshot shows stays, whatever the backup and the days are', async () => {
  const {store, server, sync, clock} = await world()
  await saveDrafts(store, [note('x')]) // a visit that this phone never gets
  server.backup = 99
  clock.now = new Date('2027-02-01T10:00:00Z')
  await sync.now()
  await sync.now()
  assert.equal((await store.read()).outbox.size, 1)
})
