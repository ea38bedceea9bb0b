// The phone and a server, with everything that networks, sessions and servers do to them.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {AMIRA, BOB, VISIT, enrolled, note, outbox, until} from './phone.mjs'
import {PAGE, Server} from './server.mjs'

const {record, unsent, counts} = outbox
const {startSync} = await import('../../static/field/sync.js')
const {sha256, uuid4, uuid7} = await import('../../static/field/ids.js')
const {visitKey} = await import('../../static/field/replay.js')

/** A signed-in phone with its sync, and a server; timers only run when the test says so. */
async function world({person = BOB, ...options} = {}) {
  const {phone, store} = await enrolled(person)
  const server = new Server()
  server.user = person.id
  const timers = []
  const changes = []
  const clock = {now: new Date('2026-11-22T10:00:00Z')}
  const timer = {
    set: (run, ms) => timers.push({run, ms, on: true}) - 1,
    clear: n => { if (timers[n]) timers[n].on = false },
  }
  const parts = {
    fetch: server.fetch, timer, window: new EventTarget(), locks: null, packs: null, random: () => 0.5, now: () => clock.now,
    health: async () => ({version: 'v1', persisted: true}), onChange: () => changes.push(1), ...options,
  }
  const sync = startSync(store, parts)
  await sync.now() // the one at the start
  const fire = async ms => {
    const due = timers.find(one => one.on && one.ms === ms)
    assert.ok(due, `no timer of ${ms} ms among ${timers.filter(one => one.on).map(one => one.ms)}`)
    due.on = false
    due.run()
    await until(() => !sync.status().running)
  }
  return {phone, store, server, sync, timers, changes, clock, parts, fire}
}

const planned = server => {
  server.desk('visit.plan', VISIT, {tenancy: '', kind: 'welcome'})
  server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-23'}, ['bob'])
}
const pushes = server => server.requests.filter(one => one.path === '/sync/push')
const idsOf = request => request.body.operations.map(text => JSON.parse(text).id)
const svg = text => new TextEncoder().encode(`<svg xmlns="http://www.w3.org/2000/svg"><path d="${text}"/></svg>`).buffer

async function signed(store, bytes, type = 'image/svg+xml') {
  const hash = await sha256(bytes)
  const data = {purpose: 'K1', decision: 'yes', signature: hash}
  const [{id}] = await record(store, [{kind: 'visit.consent', subject: {type: 'visit', id: VISIT}, data}], [{sha256: hash, type, bytes}])
  return {id, hash}
}

test('what was saved is sent, pulled back in a snapshot, and counted', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  assert.equal((await store.visit(VISIT)).state, 'booked')
  const [{id}] = await record(store, [note('tap drips')])
  assert.deepEqual(await counts(store), {unsent: 1, needs: 0, waits: 0})
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  const {record: shown, status, tenancy, settings} = await store.visit(VISIT)
  assert.deepEqual(shown.notes.map(one => [one.text, one.seq]), [['tap drips', 3]])
  assert.deepEqual([status[id], tenancy.street, settings.quiet_from], ['sent', 'Testgatan 1', '22:00'])
  assert.deepEqual(sync.status(), {running: false, online: 'yes', needs_sign_in: false, last_ok_at: '2026-11-22T10:00:00.000Z', problem: ''})
  const facts = await store.facts()
  assert.deepEqual([facts.people.amira, facts.guide, facts.server_day, facts.languages], ['Amira Testsson', 'g1', '2026-11-22', ['sv', 'ar']])
})

test('the bytes that are sent are those that were saved', async () => {
  const {store, server, sync} = await world()
  await record(store, [note('åäö "x" 👍')])
  const [{text}] = (await store.read()).outbox.values()
  await sync.now()
  assert.equal(server.log[0].text, text)
})

// --- answers that must not be believed

const lies = {
  'a page with status 200': async () => PAGE(),
  'our media type around a page': async () => new Response('<html>', {headers: {'Content-Type': 'application/vnd.troskel.sync+json'}}),
  'an answer of another protocol': async answer => altered(answer, body => { body.protocol = 2 }),
  'an answer as plain JSON': async answer => new Response(await (await answer()).text(), {headers: {'Content-Type': 'application/json'}}),
  'an answer without a server id': async answer => altered(answer, body => { delete body.server }),
  'an answer of another server': async answer => altered(answer, body => { body.server = 'someone else' }),
  'a wrong hash': async answer => altered(answer, body => { for (const one of body.results) one.sha256 = 'f'.repeat(64) }),
  'another id': async answer => altered(answer, body => { for (const one of body.results) one.id = uuid7() }),
  'no results': async answer => altered(answer, body => { body.results = [] }),
  'an unknown result': async answer => altered(answer, body => { for (const one of body.results) one.result = 'fine' }),
  'an applied without a number': async answer => altered(answer, body => { for (const one of body.results) delete one.seq }),
  'status 201': async answer => new Response(await (await answer()).text(), {status: 201, headers: {'Content-Type': 'application/vnd.troskel.sync+json'}}),
  'an answer cut off': async answer => new Response((await (await answer()).text()).slice(0, 40), {headers: {'Content-Type': 'application/vnd.troskel.sync+json'}}),
  'a 502 page': async () => new Response('<html>', {status: 502, headers: {'Content-Type': 'text/html'}}),
  'no network': async () => { throw new TypeError('fetch failed') },
  'a lost answer': async answer => {
    await answer()
    throw new TypeError('connection reset')
  },
}

async function altered(answer, change) {
  const response = await answer()
  const body = await response.json()
  change(body)
  return new Response(JSON.stringify(body), {headers: response.headers})
}

for (const [name, lie] of Object.entries(lies)) {
  test(`${name} marks nothing as sent, and the same ids go out again`, async () => {
    const {store, server, sync} = await world()
    const [{id}] = await record(store, [note('x')])
    server.meddle = ({path}, answer) => (path === '/sync/push' ? lie(answer) : answer())
    await sync.now()
    assert.equal((await counts(store)).unsent, 1)
    assert.equal((await unsent(store))[0].state, 'phone')
    server.meddle = (request, answer) => answer()
    await sync.now()
    assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
    assert.deepEqual(idsOf(pushes(server).at(-1)), [id])
    assert.deepEqual(server.texts(), ['x'])
  })
}

test('a page instead of news changes nothing', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  server.meddle = ({path}, answer) => (path === '/sync/pull' ? PAGE() : answer())
  await sync.now()
  assert.equal((await store.visits()).length, 1)
  assert.deepEqual([sync.status().online, sync.status().problem], ['no', 'not_ours'])
})

test('a page instead of the session is no sign-out', async () => {
  const {store, server, sync} = await world()
  await record(store, [note('x')])
  for (const status of [200, 401, 302]) {
    server.meddle = () => new Response('<html>', {status, headers: {'Content-Type': 'text/html'}})
    await sync.now()
    assert.deepEqual([sync.status().needs_sign_in, sync.status().online], [false, 'no'])
  }
})

// --- sessions and persons

test('a session that ended clears nothing and asks to sign in', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await record(store, [note('x')])
  server.user = ''
  await sync.now()
  assert.equal(sync.status().needs_sign_in, true)
  assert.equal((await counts(store)).unsent, 1)
  assert.equal((await store.visits()).length, 1)
  assert.equal((await store.person()).id, 'bob')
  server.user = 'bob'
  await sync.now()
  assert.equal(sync.status().needs_sign_in, false)
  assert.deepEqual(server.texts(), ['x'])
})

test('a session that ends in the middle of a round is noticed there', async () => {
  const {store, server, sync} = await world()
  await record(store, [note('x')])
  server.meddle = ({path}, answer) => {
    if (path === '/sync/push') server.user = ''
    return answer()
  }
  await sync.now()
  assert.deepEqual([sync.status().needs_sign_in, (await counts(store)).unsent], [true, 1])
})

test('operations of another person wait for that person and are sent then', async () => {
  const {store, server, sync} = await world()
  await record(store, [note('his')])
  await store.signOut()
  await store.signIn(AMIRA)
  server.user = 'amira'
  await record(store, [note('hers')])
  await sync.now()
  assert.deepEqual(server.texts(), ['hers'])
  assert.deepEqual(await counts(store), {unsent: 1, needs: 0, waits: 1})
  await store.signOut()
  await store.signIn(BOB)
  server.user = 'bob'
  await sync.now()
  assert.deepEqual(server.texts(), ['hers', 'his'])
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('somebody else signed in at the server in another window: nothing goes out in the wrong name', async () => {
  const {store, server, sync} = await world()
  await record(store, [note('his')])
  server.user = 'amira'
  await sync.now()
  assert.deepEqual([server.log.length, server.held.size, sync.status().needs_sign_in], [0, 0, true])
  assert.deepEqual(await store.visits().then(list => list.length), 1)
})

test('nobody signed in on the phone: it does not speak with the server', async () => {
  const {store, server, sync} = await world()
  await store.signOut()
  server.requests.length = 0
  await sync.now()
  assert.equal(server.requests.length, 0)
})

test('another server is believed only after signing in to it, and gets everything', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await record(store, [note('x')])
  await sync.now()
  const other = new Server()
  other.id = 'server-2'
  server.meddle = (request, answer) => (request.path === '/session' ? answer() : other.answer(request))
  await record(store, [note('y')])
  await sync.now()
  assert.deepEqual([sync.status().problem, sync.status().needs_sign_in, (await counts(store)).unsent], ['other_server', true, 1])
  await store.signIn(BOB)
  await sync.now()
  await sync.now()
  assert.deepEqual([other.texts().sort(), (await counts(store)).unsent, sync.status().problem], [['x', 'y'], 0, ''])
  assert.equal((await store.visits()).length, 0, 'the visits of the server before')
})

// --- held, refused, too large

test('a held operation needs someone, is shown on its visit, offered again, and settles', async () => {
  const {store, server, sync} = await world()
  planned(server)
  server.holds = operation => (operation.data.text === 'bad' ? 'no_right' : '')
  const [{id}] = await record(store, [note('bad')])
  await record(store, [note('good')])
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 1, waits: 0})
  const [row] = await unsent(store)
  assert.deepEqual([row.id, row.state, row.problem, row.data.text], [id, 'needs', 'no_right', 'bad'])
  assert.deepEqual(server.texts(), ['good'])
  const visit = await store.visit(VISIT)
  assert.deepEqual([visit.held, visit.unsent, visit.status[id]], [1, 0, 'needs'])
  server.held.get(id).comment = 'Ask me'
  server.holds = operation => (operation.data.text === 'bad' ? 'protected' : '')
  await sync.now()
  assert.equal((await unsent(store))[0].problem, 'protected')
  server.holds = () => ''
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('what a supervisor accepted is shown once, also before the phone has heard of its own operation', async () => {
  const {store, server, sync, fire} = await world()
  planned(server)
  server.holds = operation => (operation.data.text === 'bad' ? 'no_right' : '')
  const [{id}] = await record(store, [note('bad')])
  const [attempt] = await record(store, [{kind: 'visit.attempt', subject: {type: 'visit', id: VISIT}, data: {outcome: 'not_home'}}])
  await sync.now()
  server.append((await store.read()).outbox.get(id).text) // accepted at the desk: in the log, no longer held
  server.held.delete(id)
  await record(store, [note('good')])
  await fire(1000) // a round that offers only what is new, but hears all news
  const {record: shown, status} = await store.visit(VISIT)
  assert.deepEqual(shown.notes.map(one => one.text), ['bad', 'good'])
  assert.deepEqual(shown.attempts.map(one => one.id), [attempt.id])
  assert.equal(status[id], 'needs') // until the server says so with its hash
  await sync.now()
  assert.equal((await store.visit(VISIT)).status[id], 'sent')
})

test('an approved visit does not look changed because the phone has not heard of its own answer', async () => {
  const {store, server, sync, fire} = await world()
  planned(server)
  server.holds = ({kind}) => (kind === 'visit.answer' ? 'no_right' : '')
  const data = {item: 'stove', answer: 'explained', guide: 'g1', language: 'ar'}
  const [{id}] = await record(store, [{kind: 'visit.answer', subject: {type: 'visit', id: VISIT}, data}])
  await sync.now()
  server.append((await store.read()).outbox.get(id).text)
  server.held.delete(id)
  server.desk('visit.approve', VISIT, {comment: ''})
  await record(store, [{kind: 'tally.count', subject: {type: 'tally', id: uuid7()}, data: {day: '2026-11-22', area: 'A', topic: 't', value: 'v'}}])
  await fire(1000)
  assert.equal((await store.visit(VISIT)).state, 'approved')
})

test('a list of what is held has no hashes, so it alone settles nothing', async () => {
  const {store, server, sync} = await world()
  server.holds = () => 'no_right'
  await record(store, [note('x')])
  server.meddle = async (request, answer) => {
    const said = await answer()
    if (request.path === '/sync/push') throw new TypeError('the answer was lost')
    return said
  }
  await sync.now()
  assert.equal(server.held.size, 1)
  const {receiveAll} = await import('../../static/field/incoming.js')
  const {transport} = await import('../../static/field/transport.js')
  await receiveAll(store, transport(server.fetch), 'bob', () => new Date())
  assert.deepEqual(await counts(store), {unsent: 1, needs: 0, waits: 0})
})

test('what a supervisor says of a held operation comes to the phone', async () => {
  const {store, server, sync} = await world()
  server.holds = () => 'no_right'
  await record(store, [note('x')])
  server.meddle = async ({path}, answer) => {
    if (path === '/sync/pull') for (const one of server.held.values()) one.comment = 'Call me'
    return answer()
  }
  await sync.now()
  assert.equal((await unsent(store))[0].comment, 'Call me')
})

test('413 halves the batch until it fits, in order, each operation once', async () => {
  const {store, server, sync} = await world()
  for (let n = 0; n < 23; n++) await record(store, [note(`n${n}`)])
  server.operationsMax = 3
  await sync.now()
  assert.deepEqual(server.texts(), Array.from({length: 23}, (_, n) => `n${n}`))
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('a page with 413 from a proxy halves as well', async () => {
  const {store, server, sync} = await world()
  await record(store, [note('a'), note('b'), note('c'), note('d')])
  server.meddle = ({path, body}, answer) => (path === '/sync/push' && body.operations.length > 1
    ? new Response('<html>', {status: 413, headers: {'Content-Type': 'text/html'}}) : answer())
  await sync.now()
  assert.deepEqual(server.texts(), ['a', 'b', 'c', 'd'])
})

for (const [status, problem] of [[413, 'too_large'], [400, 'malformed'], [500, 'internal']]) {
  test(`one operation that the server answers with ${status} does not block the others`, async () => {
    const {store, server, sync} = await world()
    const drafts = Array.from({length: 20}, (_, n) => note(n === 13 ? 'poison' : `n${n}`))
    await record(store, drafts)
    server.meddle = ({path, body}, answer) => {
      const isBad = path === '/sync/push' && body.operations.some(text => text.includes('poison'))
      return isBad ? new Response(JSON.stringify({problem}), {status, headers: {'Content-Type': 'application/json'}}) : answer()
    }
    await sync.now()
    assert.equal(server.log.length, 19)
    assert.deepEqual(await counts(store), {unsent: 0, needs: 1, waits: 0})
    assert.deepEqual((await unsent(store)).map(row => [row.data.text, row.problem]), [['poison', problem]])
    assert.deepEqual([sync.status().problem, sync.status().online], ['', 'yes'])
    server.meddle = (request, answer) => answer()
    await sync.now()
    assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  })
}

test('a server that is broken altogether is asked again later, and blames no operation', async () => {
  const {store, server, sync, timers} = await world()
  await record(store, Array.from({length: 50}, (_, n) => note(`n${n}`)))
  server.meddle = ({path}, answer) => (path === '/sync/push'
    ? new Response('{"problem": "internal"}', {status: 500, headers: {'Content-Type': 'application/json'}}) : answer())
  server.requests.length = 0
  await sync.now()
  assert.ok(pushes(server).length <= 12, `${pushes(server).length} requests`)
  assert.deepEqual(await counts(store), {unsent: 50, needs: 0, waits: 0})
  assert.equal(sync.status().problem, 'internal')
  assert.equal(timers.findLast(one => one.on).ms, 5000)
})

test('bytes damaged on the phone are not sent, and it is said', async () => {
  const {phone, store, server, sync} = await world()
  const [{id}] = await record(store, [note('rent is 100'), note('fine')])
  const row = [...(await store.read()).outbox.values()].find(one => one.id === id)
  const damaged = new TextEncoder().encode(row.text.replace('100', '900')).buffer
  await new Promise(resolve => {
    indexedDB.open(phone.name).onsuccess = ({target: {result: db}}) => {
      const tx = db.transaction(['outbox', 'meta'], 'readwrite')
      tx.objectStore('outbox').put({id, by: 'bob', visit: VISIT, sha256: row.sha256, bytes: damaged})
      tx.objectStore('meta').get('change').onsuccess = ({target}) => tx.objectStore('meta').put({id: 'change', value: target.result.value + 1})
      tx.oncomplete = () => { db.close(); resolve() }
    }
  })
  await sync.now()
  assert.deepEqual(server.texts(), ['fine'])
  assert.deepEqual((await unsent(store)).map(one => [one.id, one.state, one.problem]), [[id, 'needs', 'damaged']])
})

// --- gone, reset, purge

test('a visit that is gone stays while something of it is unsent, and goes when it has arrived', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await record(store, [note('late')])
  server.takeAway(VISIT, 'bob')
  server.meddle = ({path}, answer) => (path === '/sync/push' ? new Response('', {status: 503}) : answer())
  await sync.now() // the push fails, so does the round
  assert.equal((await store.visits()).length, 1)
  // The news of it comes by another way while the note is still here.
  const {receiveAll} = await import('../../static/field/incoming.js')
  const {transport} = await import('../../static/field/transport.js')
  await receiveAll(store, transport(server.fetch), 'bob', () => new Date())
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
  await record(store, [{kind: 'visit.open', subject: {type: 'visit', id: VISIT}, data: {tenancy: '', kind: 'contact', language: ''}}])
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
  await store.update(memory => [{put: 'visits', value: {...memory.visits.get(visitKey('bob', VISIT)), id: visitKey('amira', VISIT), by: 'amira'}}])
  server.holds = () => 'protected'
  server.takeAway(VISIT, 'bob', 'protected')
  await sync.now()
  const memory = await store.read()
  assert.deepEqual([memory.outbox.size, memory.visits.size, memory.blobs.size, memory.receipts.size], [0, 0, 0, 0])
  assert.ok(server.held.size === 1 && server.blobs.has(hash), 'it was deleted before it had arrived')
  assert.equal(await store.blob(hash), null)
})

test('of a protected tenancy nothing is deleted before all of it has arrived, by whomever it was written', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  await store.signIn(AMIRA)
  await record(store, [note('hers')])
  await store.signIn(BOB)
  await record(store, [note('his')])
  server.holds = () => 'protected'
  server.takeAway(VISIT, 'bob', 'protected')
  await sync.now()
  const held = () => [...server.held.values()].length
  assert.deepEqual([held(), (await store.read()).outbox.size, (await counts(store)).waits], [1, 2, 1])
  assert.equal(await store.visit(VISIT), null, 'his part has arrived: nothing of it is shown')
  server.user = 'amira'
  await store.signIn(AMIRA)
  await sync.now()
  assert.deepEqual([held(), (await store.read()).outbox.size, (await store.read()).visits.size], [2, 0, 0])
})

test('a visit that was gone before its first snapshot came does not stay on the phone', async () => {
  const {store, server, sync} = await world()
  await record(store, [{kind: 'visit.open', subject: {type: 'visit', id: VISIT}, data: {tenancy: '', kind: 'contact', language: ''}}])
  server.meddle = ({path}, answer) => (path === '/sync/pull' ? PAGE() : answer())
  await sync.now()
  assert.equal((await store.visits()).length, 1, 'sent, but not seen yet')
  server.takeAway(VISIT, 'bob')
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.deepEqual(await store.visits(), [])
})

test('old news that come late do not undo newer ones of another tab', async () => {
  const {phone, store, server, sync, parts} = await world()
  planned(server)
  let open
  const gate = new Promise(resolve => { open = resolve })
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
  await record(store, [note('a')])
  await sync.now()
  const at = server.log.length
  await record(store, [note('b'), note('c')])
  await sync.now()
  assert.deepEqual(server.texts(), ['a', 'b', 'c'])
  server.restore(at)
  await sync.now()
  assert.deepEqual(server.texts(), ['a', 'b', 'c'])
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  await sync.now()
  assert.deepEqual((await store.visit(VISIT)).record.notes.map(one => one.text), ['a', 'b', 'c'])
})

/** A phone whose note was acknowledged, and whose server was then put back, before any news came. */
async function acknowledgedThenLost() {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  server.meddle = ({path}, answer) => (path === '/sync/pull' ? new Response('', {status: 503}) : answer())
  const [{id}] = await record(store, [note('precious')])
  await sync.now()
  assert.deepEqual([server.texts(), await counts(store)], [['precious'], {unsent: 0, needs: 0, waits: 0}])
  server.restore(2) // as far as the phone's cursor: its digest is right
  server.meddle = (request, answer) => answer()
  return {store, server, sync, id}
}

test('what was acknowledged after the last news and lost by the server is offered again', async () => {
  const {store, server, sync} = await acknowledgedThenLost()
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('it is offered again also when its number has become another operation\'s', async () => {
  const {store, server, sync, id} = await acknowledgedThenLost()
  for (let n = 0; n < 5; n++) server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-24'}, ['bob'])
  server.backup = server.log.length
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  await sync.now()
  const shown = (await store.visit(VISIT)).record.notes
  assert.deepEqual([shown.length, shown[0].id, shown[0].seq], [1, id, server.log.length])
})

test('another operation under the same number does not vouch for it', async () => {
  const {store, server, sync} = await acknowledgedThenLost()
  await record(store, [note('later')])
  await sync.now() // gets the number that the lost one had
  assert.deepEqual(server.texts().sort(), ['later', 'precious'])
})

test('what another server acknowledged and lost is offered again, though the first one had come further', async () => {
  const {store, server, sync} = await world()
  planned(server)
  for (let n = 0; n < 5; n++) server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-24'}, ['bob'])
  await sync.now()
  server.id = 'server-2'
  server.restore(2)
  await store.signIn(BOB)
  server.meddle = ({path}, answer) => (path === '/sync/pull' ? new Response('', {status: 503}) : answer())
  await record(store, [note('precious')])
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  server.restore(2)
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
})

test('what is acknowledged while news are on their way is not doubted', async () => {
  const {phone, store, server, sync, parts} = await world()
  planned(server)
  const other = await phone.tab()
  server.meddle = async ({path}, answer) => {
    const said = await answer()
    if (path !== '/sync/pull') return said
    server.meddle = (request, go) => go()
    await record(other, [note('meanwhile')])
    const {sendAll} = await import('../../static/field/outgoing.js')
    const {transport} = await import('../../static/field/transport.js')
    await sendAll(other, transport(server.fetch), 'bob', {again: false, greet: false, health: parts.health, now: parts.now})
    return said
  }
  server.requests.length = 0
  await sync.now()
  assert.equal(pushes(server).length, 1)
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('news over several pages are one: doubt waits for the last', async () => {
  const {store, server, sync, id} = await acknowledgedThenLost()
  const others = [uuid4(), uuid4(), uuid4()]
  for (const other of others) server.desk('visit.assign', other, {visitors: ['bob']}, ['bob'])
  server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-24'}, ['bob'])
  server.pageSize = 1 // its number is another visit's, on the first page
  await sync.now()
  assert.deepEqual(server.texts(), ['precious'])
  await record(store, [{kind: 'visit.note', subject: {type: 'visit', id: others[0]}, data: {item: '', text: 'a'}}, note('b')])
  server.desk('visit.assign', others[1], {visitors: ['bob'], date: '2026-11-25'}, ['bob'])
  server.requests.length = 0
  await sync.now()
  assert.equal(pushes(server).length, 1)
  assert.equal((await store.visit(VISIT)).status[id], 'sent')
})

test('what news cannot show is offered once more and no more: a counter, an answer changed at once', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  const answer = one => ({kind: 'visit.answer', subject: {type: 'visit', id: VISIT}, data: {item: 'stove', answer: one, guide: 'g1', language: 'ar'}})
  await record(store, [answer('explained')])
  await record(store, [answer('shown')])
  const [{id}] = await record(store, [{kind: 'tally.count', subject: {type: 'tally', id: uuid7()}, data: {day: '2026-11-22', area: 'A', topic: 't', value: 'v'}}])
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

test('news come over several pages', async () => {
  const {store, server, sync} = await world()
  for (let n = 0; n < 7; n++) server.desk('visit.plan', VISIT.replace(/1$/, String(n)), {tenancy: '', kind: 'welcome'}, ['bob'])
  server.pageSize = 3
  await sync.now()
  assert.equal((await store.visits()).length, 7)
})

test('a sent operation leaves when a snapshot has it and a backup or fourteen days have passed it', async () => {
  const {store, server, sync, clock} = await world()
  planned(server)
  const size = async () => (await store.read()).outbox.size
  await record(store, [note('a')])
  await sync.now()
  assert.equal(await size(), 1, 'no backup yet')
  server.backup = 2
  await sync.now()
  assert.equal(await size(), 1, 'the backup is older')
  server.backup = 3
  await sync.now()
  assert.equal(await size(), 0)
  const [{id}] = await record(store, [note('b')])
  await sync.now()
  clock.now = new Date('2026-12-06T09:00:00Z')
  await sync.now()
  assert.equal(await size(), 1, 'thirteen days and some hours')
  clock.now = new Date('2026-12-06T11:00:00Z')
  await sync.now()
  assert.equal(await size(), 0)
  await record(store, [note('b', id)])
  assert.equal(await size(), 0, 'the same tap again, weeks later')
  assert.deepEqual((await store.visit(VISIT)).record.notes.map(one => one.text), ['a', 'b'])
})

test('an operation that no snapshot shows stays, whatever backup and calendar say', async () => {
  const {store, server, sync, clock} = await world()
  await record(store, [note('x')]) // a visit that this phone never gets
  server.backup = 99
  clock.now = new Date('2027-02-01T10:00:00Z')
  await sync.now()
  await sync.now()
  assert.equal((await store.read()).outbox.size, 1)
})

// --- blobs

test('a small signature rides along as text and is sent once', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, svg('M1 1'))
  await sync.now()
  const [{body}] = pushes(server).slice(-1)
  assert.match(body.blobs[0].text, /^<svg/)
  assert.ok(server.blobs.has(hash))
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  await record(store, [note('x')])
  await sync.now()
  assert.deepEqual(pushes(server).at(-1).body.blobs, [])
})

test('bytes that are no text ride as base64', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, new Uint8Array([0x89, 0x50, 0xff, 0, 1]).buffer, 'image/png')
  await sync.now()
  assert.deepEqual([...server.blobs.get(hash)], [0x89, 0x50, 0xff, 0, 1])
})

const large = size => Uint8Array.from({length: size}, (_, n) => n * 7 % 251).buffer

test('a large blob goes in pieces, and on from where it broke off', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, large(700_000), 'image/png')
  let pieces = 0
  server.meddle = ({method}, answer) => {
    if (method === 'PUT' && ++pieces === 2) throw new TypeError('tunnel')
    return answer()
  }
  await sync.now()
  assert.equal((await counts(store)).unsent, 1, 'its signature is not there yet: not sent')
  assert.equal((await unsent(store))[0].state, 'phone')
  server.requests.length = 0
  await sync.now()
  assert.equal(server.blobs.get(hash).length, 700_000)
  assert.deepEqual(server.requests.filter(one => one.method === 'PUT').map(one => one.headers.get('Content-Range')),
    ['bytes 262144-524287/700000', 'bytes 524288-699999/700000'])
  assert.equal((await counts(store)).unsent, 0)
})

test('an upload that arrived damaged begins again from 0', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, large(300_000), 'image/png')
  server.parts.set(hash, Buffer.alloc(262_144))
  await sync.now()
  assert.equal(server.blobs.get(hash)?.length, 300_000)
  assert.equal((await counts(store)).unsent, 0)
})

test('a HEAD that says it has everything is not believed by itself', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, large(300_000), 'image/png')
  server.meddle = ({method}, answer) => (method === 'HEAD' ? new Response(null, {headers: {'Upload-Offset': '300000'}}) : answer())
  await sync.now()
  assert.equal(server.blobs.get(hash)?.length, 300_000)
})

test('a blob that the server refuses needs someone', async () => {
  const {store, server, sync} = await world()
  await signed(store, large(300_000), 'image/png')
  server.meddle = ({method}, answer) => (method === 'PUT'
    ? new Response('{"problem": "blob_type"}', {status: 415, headers: {'Content-Type': 'application/json'}}) : answer())
  await sync.now()
  assert.deepEqual((await unsent(store)).map(row => [row.state, row.problem]), [['needs', 'blob_type']])
  assert.equal(sync.status().online, 'yes')
})

// --- when, and what is told

test('taps within a second go out together, in one request', async () => {
  const {store, server, fire} = await world()
  planned(server)
  await record(store, [note('a')])
  await record(store, [note('b')])
  server.requests.length = 0
  await fire(1000)
  assert.deepEqual(server.requests.map(one => one.path), ['/sync/push', '/sync/pull'])
  assert.deepEqual(server.texts(), ['a', 'b'])
})

test('failures are followed by growing pauses, and taps do not shorten them', async () => {
  const {store, server, sync, timers, fire} = await world()
  server.meddle = () => { throw new TypeError('no network') }
  const pauses = []
  for (let n = 0; n < 8; n++) {
    await sync.now()
    pauses.push(timers.findLast(one => one.on).ms)
  }
  assert.deepEqual(pauses, [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  assert.equal(sync.status().online, 'no')
  await record(store, [note('x')])
  assert.ok(!timers.some(one => one.on && one.ms === 1000))
  server.meddle = (request, answer) => answer()
  await fire(300_000)
  assert.deepEqual(server.texts(), ['x'])
  assert.equal((await until(() => timers.findLast(one => one.on))).ms, 60_000)
})

test('phones do not ask in step: each pause is half to one and a half of its length', async () => {
  for (const [random, calm, retry] of [[0, 30_000, 2500], [0.99, 89_400, 7450]]) {
    const {server, sync, timers} = await world({random: () => random})
    const pause = () => Math.round(timers.findLast(one => one.on).ms)
    assert.equal(pause(), calm)
    server.meddle = () => { throw new TypeError('no network') }
    await sync.now()
    assert.equal(pause(), retry)
  }
})

test('coming online or back to the page begins a round', async () => {
  const {store, server, sync, parts} = await world()
  for (const name of ['online', 'pageshow']) {
    await record(store, [note(name)])
    parts.window.dispatchEvent(new Event(name))
    await until(async () => (await counts(store)).unsent === 0)
  }
  await sync.now()
  sync.stop()
  server.requests.length = 0
  parts.window.dispatchEvent(new Event('online'))
  await sync.now()
  assert.equal(server.requests.length, 0, 'stopped')
})

test('a round asked for during another runs after it, once for all who asked', async () => {
  const {store, server, sync} = await world()
  let open
  const gate = new Promise(resolve => { open = resolve })
  server.meddle = async ({path}, answer) => {
    if (path === '/session') await gate
    return answer()
  }
  server.requests.length = 0
  const first = sync.now()
  await until(() => server.requests.length === 1)
  await record(store, [note('meanwhile')])
  const later = [sync.now(), sync.now(), sync.now()]
  open()
  await Promise.all([first, ...later])
  assert.equal(server.requests.filter(one => one.path === '/sync/pull').length, 2)
  assert.deepEqual(server.texts(), ['meanwhile'])
})

test('the page is told when something changed and not otherwise', async () => {
  const {server, sync, changes} = await world()
  planned(server)
  changes.length = 0
  await sync.now()
  assert.equal(changes.length, 1)
  await sync.now()
  server.desk('visit.plan', VISIT.replace(/1$/, '9'), {tenancy: '', kind: 'welcome'}) // somebody else's
  await sync.now()
  assert.equal(changes.length, 1)
})

test('two tabs that sync at once send each operation, and it is applied once', async () => {
  const {phone, store, server, parts} = await world()
  const other = await phone.tab()
  const both = [startSync(store, parts), startSync(other, parts)]
  await record(store, [note('a')])
  await record(other, [note('b')])
  await Promise.all(both.map(one => one.now()))
  assert.deepEqual(server.texts().sort(), ['a', 'b'])
  assert.deepEqual([await counts(store), await counts(other)], [{unsent: 0, needs: 0, waits: 0}, {unsent: 0, needs: 0, waits: 0}])
})

test('a lock that another tab never gives back stops nothing', async () => {
  const locks = {request: async (name, {signal}) => { throw signal.reason ?? new DOMException('waited long enough', 'AbortError') }}
  const {store, server, sync} = await world({locks})
  await record(store, [note('x')])
  await sync.now()
  assert.deepEqual(server.texts(), ['x'])
})

test('the phone reports how it is: at the start, and with each push how it will stand after it', async () => {
  const {store, server, sync} = await world()
  assert.deepEqual(server.health, [{version: 'v1', persisted: true, unsent: 0, oldest_unsent_at: ''}])
  planned(server)
  server.operationsMax = 1
  await record(store, [note('a'), note('b')])
  const [, {operation}] = [...(await store.read()).outbox.values()].sort((a, b) => a.operation.device_seq - b.operation.device_seq)
  await sync.now()
  assert.deepEqual(server.health.slice(1).map(one => [one.unsent, one.oldest_unsent_at]), [[1, operation.at], [0, '']])
})

test('a loss is reported until the server has heard of it', async () => {
  const {phone, store, server, sync} = await world()
  await record(store, [note('a')])
  await until(() => phone.storages[0].getItem('troskel-canary').includes('"unsent":1'))
  sync.stop()
  await phone.wipe()
  const reborn = await phone.tab()
  await reborn.enrol()
  await reborn.signIn(BOB)
  server.meddle = () => { throw new TypeError('no network') }
  const again = startSync(reborn, {...(await world()).parts, fetch: server.fetch})
  await again.now()
  server.health.length = 0
  server.meddle = (request, answer) => answer()
  await again.now()
  assert.deepEqual(server.health.map(one => [one.lost, one.lost_unsent, one.lost_device]), [['emptied', 1, store.device.id]])
  assert.equal(reborn.lost.reason, 'emptied', 'still told on the phone')
  assert.equal((await phone.tab()).lost, null)
})

test('a server that has seen the numbers before tells of a phone put back', async () => {
  const {store, server, sync} = await world()
  server.meddle = ({path}, answer) => (path === '/sync/push' ? altered(answer, body => { body.reused = [1] }) : answer())
  await record(store, [note('a')])
  await sync.now()
  assert.equal(store.lost.reason, 'rolled_back')
})

test('a clock that is wrong is told, and hides nothing', async () => {
  const {store, server, sync, clock} = await world()
  planned(server)
  clock.now = new Date(Date.now() - 3 * 3_600_000)
  await sync.now()
  const {clock_offset_ms: offset} = await store.facts()
  assert.ok(Math.abs(offset - 3 * 3_600_000) < 5_000, `${offset}`)
  assert.equal((await store.visits()).length, 1)
})

test('a counter leaves with its own number and is tied to no visit', async () => {
  const {store, server, sync} = await world()
  const draft = {kind: 'tally.count', subject: {type: 'tally', id: VISIT.replace(/1$/, '7')}, data: {day: '2026-11-22', area: 'A', topic: 'i68', value: 'good'}}
  await record(store, [draft])
  assert.equal((await unsent(store))[0].visit, '')
  server.backup = 1
  await sync.now()
  assert.equal(server.log[0].operation.kind, 'tally.count')
  assert.equal((await store.read()).outbox.size, 0)
  assert.deepEqual(await store.visits(), [])
})
