// Sending: what the server's answers, networks and sessions do to what was saved.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {AMIRA, BOB, note, outbox, VISIT} from './phone.mjs'
import {PAGE, Server} from './server.mjs'
import {altered, idsOf, planned, pushes, world} from './world.mjs'

const {saveDrafts, unsent, counts} = outbox
const {uuid7} = await import('../../static/field/record/ids.js')

test('what was saved is sent, pulled back in a snapshot, and counted', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await sync.now()
  assert.equal((await store.visit(VISIT)).state, 'booked')
  const [{id}] = await saveDrafts(store, [note('tap drips')])
  assert.deepEqual(await counts(store), {unsent: 1, needs: 0, waits: 0})
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  const {record: shown, status, tenancy, settings} = await store.visit(VISIT)
  assert.deepEqual(
    shown.notes.map(one => [one.text, one.seq]),
    [['tap drips', 3]],
  )
  assert.deepEqual(
    [status[id], tenancy.street, settings.quiet_from],
    ['sent', 'Testgatan 1', '22:00'],
  )
  assert.deepEqual(sync.status(), {
    running: false,
    online: 'yes',
    needs_sign_in: false,
    last_ok_at: '2026-11-22T10:00:00.000Z',
    problem: '',
  })
  const facts = await store.facts()
  assert.deepEqual(
    [facts.people.amira, facts.guide, facts.server_day, facts.languages],
    ['Amira Testsson', 'g1', '2026-11-22', ['sv', 'ar']],
  )
})

test('the bytes that are sent are those that were saved', async () => {
  const {store, server, sync} = await world()
  await saveDrafts(store, [note('åäö "x" 👍')])
  const [{text}] = (await store.read()).outbox.values()
  await sync.now()
  assert.equal(server.log[0].text, text)
})

// --- answers that must not be trusted

const lies = {
  'a page with status 200': async () => PAGE(),
  'our media type around a page': async () =>
    new Response('<html>', {headers: {'Content-Type': 'application/vnd.troskel.sync+json'}}),
  'an answer of another protocol': async answer =>
    altered(answer, body => {
      body.protocol = 2
    }),
  'an answer as plain JSON': async answer =>
    new Response(await (await answer()).text(), {headers: {'Content-Type': 'application/json'}}),
  'an answer without a server id': async answer =>
    altered(answer, body => {
      delete body.server
    }),
  'an answer of another server': async answer =>
    altered(answer, body => {
      body.server = 'someone else'
    }),
  'status 201': async answer =>
    new Response(await (await answer()).text(), {
      status: 201,
      headers: {'Content-Type': 'application/vnd.troskel.sync+json'},
    }),
  'an answer cut off': async answer =>
    new Response((await (await answer()).text()).slice(0, 40), {
      headers: {'Content-Type': 'application/vnd.troskel.sync+json'},
    }),
  'a 502 page': async () =>
    new Response('<html>', {status: 502, headers: {'Content-Type': 'text/html'}}),
  'no network': async () => {
    throw new TypeError('fetch failed')
  },
  'a lost answer': async answer => {
    await answer()
    throw new TypeError('connection reset')
  },
}

// Of a server that lists each operation, and of one that acknowledges them together.
const listed = {
  'a wrong hash': async answer =>
    altered(answer, body => {
      for (const one of body.results) one.sha256 = 'f'.repeat(64)
    }),
  'another id': async answer =>
    altered(answer, body => {
      for (const one of body.results) one.id = uuid7()
    }),
  'no results': async answer =>
    altered(answer, body => {
      body.results = []
    }),
  'an unknown result': async answer =>
    altered(answer, body => {
      for (const one of body.results) one.result = 'fine'
    }),
  'an applied without a number': async answer =>
    altered(answer, body => {
      for (const one of body.results) delete one.seq
    }),
}
const together = {
  'a hash over something else': async answer =>
    altered(answer, body => {
      if (body.taken) body.taken.sha256 = 'f'.repeat(64)
    }),
  'no hash': async answer =>
    altered(answer, body => {
      if (body.taken) delete body.taken.sha256
    }),
  'no numbers': async answer =>
    altered(answer, body => {
      if (body.taken) delete body.taken.seqs
    }),
  'a number too few': async answer =>
    altered(answer, body => {
      if (body.taken) body.taken.seqs = []
    }),
  'a number too many': async answer =>
    altered(answer, body => {
      if (body.taken) body.taken.seqs[0][1]++
    }),
  'numbers from 0': async answer =>
    altered(answer, body => {
      if (body.taken) body.taken.seqs[0][0] = 0
    }),
  'a run without end': async answer =>
    altered(answer, body => {
      if (body.taken) body.taken.seqs = [[1, 1e15]]
    }),
  'nothing taken and nothing listed': async answer =>
    altered(answer, body => {
      delete body.taken
    }),
}
const every = [
  ...Object.entries({...lies, ...listed}).map(one => [...one, false]),
  ...Object.entries({...lies, ...together}).map(one => [...one, true]),
]

for (const [name, lie, short] of every) {
  test(`${name} marks nothing as sent, and the same ids are sent again (${short ? 'together' : 'listed'})`, async () => {
    const {store, server, sync} = await world()
    server.knowsShort = short
    const [{id}] = await saveDrafts(store, [note('x')])
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

test('what is taken together and what is held come apart in one answer', async () => {
  const {store, server, sync} = await world()
  planned(server)
  server.holds = operation => (operation.data.text === 'b' ? 'no_right' : '')
  await saveDrafts(store, [note('a'), note('b'), note('c')])
  await sync.now()
  assert.deepEqual(server.texts(), ['a', 'c'])
  assert.deepEqual(
    (await unsent(store)).map(row => [row.state, row.problem]),
    [['needs', 'no_right']],
  )
})

test('a page in place of the answer to a pull changes nothing', async () => {
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
  await saveDrafts(store, [note('x')])
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
  await saveDrafts(store, [note('x')])
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
  await saveDrafts(store, [note('x')])
  server.meddle = ({path}, answer) => {
    if (path === '/sync/push') server.user = ''
    return answer()
  }
  await sync.now()
  assert.deepEqual([sync.status().needs_sign_in, (await counts(store)).unsent], [true, 1])
})

test('operations of another person wait for that person and are sent then', async () => {
  const {store, server, sync} = await world()
  await saveDrafts(store, [note('his')])
  await store.signOut()
  await store.signIn(AMIRA)
  server.user = 'amira'
  await saveDrafts(store, [note('hers')])
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

test('somebody else signed in at the server in another window: nothing is sent in the wrong name', async () => {
  const {store, server, sync} = await world()
  await saveDrafts(store, [note('his')])
  server.user = 'amira'
  await sync.now()
  assert.deepEqual([server.log.length, server.held.size, sync.status().needs_sign_in], [0, 0, true])
  assert.deepEqual(await store.visits().then(list => list.length), 1)
})

test('nobody signed in on the phone: it makes no request', async () => {
  const {store, server, sync} = await world()
  await store.signOut()
  server.requests.length = 0
  await sync.now()
  assert.equal(server.requests.length, 0)
})

test('another server is trusted only after signing in to it, and gets everything', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await saveDrafts(store, [note('x')])
  await sync.now()
  const other = new Server()
  other.id = 'server-2'
  server.meddle = (request, answer) =>
    request.path === '/session' ? answer() : other.answer(request)
  await saveDrafts(store, [note('y')])
  await sync.now()
  assert.deepEqual(
    [sync.status().problem, sync.status().needs_sign_in, (await counts(store)).unsent],
    ['other_server', true, 1],
  )
  await store.signIn(BOB)
  await sync.now()
  await sync.now()
  assert.deepEqual(
    [other.texts().sort(), (await counts(store)).unsent, sync.status().problem],
    [['x', 'y'], 0, ''],
  )
  assert.equal((await store.visits()).length, 0, 'the visits of the server before')
})

// --- held, refused, too large

test('a held operation needs someone, is shown on its visit, offered again, and settles', async () => {
  const {store, server, sync} = await world()
  planned(server)
  server.holds = operation => (operation.data.text === 'bad' ? 'no_right' : '')
  const [{id}] = await saveDrafts(store, [note('bad')])
  await saveDrafts(store, [note('good')])
  await sync.now()
  assert.deepEqual(await counts(store), {unsent: 0, needs: 1, waits: 0})
  const [row] = await unsent(store)
  assert.deepEqual(
    [row.id, row.state, row.problem, row.data.text],
    [id, 'needs', 'no_right', 'bad'],
  )
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

test('what a supervisor accepted is shown once, also before the phone has an answer about its own operation', async () => {
  const {store, server, sync, fire} = await world()
  planned(server)
  server.holds = operation => (operation.data.text === 'bad' ? 'no_right' : '')
  const [{id}] = await saveDrafts(store, [note('bad')])
  const [attempt] = await saveDrafts(store, [
    {kind: 'visit.attempt', subject: {type: 'visit', id: VISIT}, data: {outcome: 'not_home'}},
  ])
  await sync.now()
  server.append((await store.read()).outbox.get(id).text) // accepted at the desk: in the log, no longer held
  server.held.delete(id)
  await saveDrafts(store, [note('good')])
  await fire(1000) // a round that offers only what is new, but pulls everything
  const {record: shown, status} = await store.visit(VISIT)
  assert.deepEqual(
    shown.notes.map(one => one.text),
    ['bad', 'good'],
  )
  assert.deepEqual(
    shown.attempts.map(one => one.id),
    [attempt.id],
  )
  assert.equal(status[id], 'needs') // until the server says so with its hash
  await sync.now()
  assert.equal((await store.visit(VISIT)).status[id], 'sent')
})

test('an approved visit does not look changed because the phone has no answer about its own operation', async () => {
  const {store, server, sync, fire} = await world()
  planned(server)
  server.holds = ({kind}) => (kind === 'visit.answer' ? 'no_right' : '')
  const data = {item: 'stove', answer: 'explained', guide: 'g1', language: 'ar'}
  const [{id}] = await saveDrafts(store, [
    {kind: 'visit.answer', subject: {type: 'visit', id: VISIT}, data},
  ])
  await sync.now()
  server.append((await store.read()).outbox.get(id).text)
  server.held.delete(id)
  server.desk('visit.approve', VISIT, {comment: ''})
  await saveDrafts(store, [
    {
      kind: 'tally.count',
      subject: {type: 'tally', id: uuid7()},
      data: {day: '2026-11-22', area: 'A', topic: 't', value: 'v'},
    },
  ])
  await fire(1000)
  assert.equal((await store.visit(VISIT)).state, 'approved')
})

test('a list of what is held has no hashes, so it alone settles nothing', async () => {
  const {store, server, sync} = await world()
  server.holds = () => 'no_right'
  await saveDrafts(store, [note('x')])
  server.meddle = async (request, answer) => {
    const response = await answer()
    if (request.path === '/sync/push') throw new TypeError('the answer was lost')
    return response
  }
  await sync.now()
  assert.equal(server.held.size, 1)
  const {pullAll} = await import('../../static/field/sync/pull.js')
  const {transport} = await import('../../static/field/sync/transport.js')
  await pullAll(store, transport(server.fetch), 'bob', () => new Date())
  assert.deepEqual(await counts(store), {unsent: 1, needs: 0, waits: 0})
})

test('the comment of a supervisor on a held operation reaches the phone', async () => {
  const {store, server, sync} = await world()
  server.holds = () => 'no_right'
  await saveDrafts(store, [note('x')])
  server.meddle = async ({path}, answer) => {
    if (path === '/sync/pull') for (const one of server.held.values()) one.comment = 'Call me'
    return answer()
  }
  await sync.now()
  assert.equal((await unsent(store))[0].comment, 'Call me')
})

test('413 halves the batch until it fits, in order, each operation once', async () => {
  const {store, server, sync} = await world()
  for (let n = 0; n < 23; n++) await saveDrafts(store, [note(`n${n}`)])
  server.operationsMax = 3
  await sync.now()
  assert.deepEqual(
    server.texts(),
    Array.from({length: 23}, (_, n) => `n${n}`),
  )
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
})

test('a page with 413 from a proxy halves as well', async () => {
  const {store, server, sync} = await world()
  await saveDrafts(store, [note('a'), note('b'), note('c'), note('d')])
  server.meddle = ({path, body}, answer) =>
    path === '/sync/push' && body.operations.length > 1
      ? new Response('<html>', {status: 413, headers: {'Content-Type': 'text/html'}})
      : answer()
  await sync.now()
  assert.deepEqual(server.texts(), ['a', 'b', 'c', 'd'])
})

for (const [status, problem] of [
  [413, 'too_large'],
  [400, 'malformed'],
  [500, 'internal'],
]) {
  test(`one operation that the server answers with ${status} does not block the others`, async () => {
    const {store, server, sync} = await world()
    const drafts = Array.from({length: 20}, (_, n) => note(n === 13 ? 'poison' : `n${n}`))
    await saveDrafts(store, drafts)
    server.meddle = ({path, body}, answer) => {
      const isBad = path === '/sync/push' && body.operations.some(text => text.includes('poison'))
      return isBad
        ? new Response(JSON.stringify({problem}), {
            status,
            headers: {'Content-Type': 'application/json'},
          })
        : answer()
    }
    await sync.now()
    assert.equal(server.log.length, 19)
    assert.deepEqual(await counts(store), {unsent: 0, needs: 1, waits: 0})
    assert.deepEqual(
      (await unsent(store)).map(row => [row.data.text, row.problem]),
      [['poison', problem]],
    )
    assert.deepEqual([sync.status().problem, sync.status().online], ['', 'yes'])
    server.meddle = (request, answer) => answer()
    await sync.now()
    assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  })
}

test('a server that is broken altogether is asked again later, and blames no operation', async () => {
  const {store, server, sync, timers} = await world()
  await saveDrafts(
    store,
    Array.from({length: 50}, (_, n) => note(`n${n}`)),
  )
  server.meddle = ({path}, answer) =>
    path === '/sync/push'
      ? new Response('{"problem": "internal"}', {
          status: 500,
          headers: {'Content-Type': 'application/json'},
        })
      : answer()
  server.requests.length = 0
  await sync.now()
  assert.ok(pushes(server).length <= 12, `${pushes(server).length} requests`)
  assert.deepEqual(await counts(store), {unsent: 50, needs: 0, waits: 0})
  assert.equal(sync.status().problem, 'internal')
  assert.equal(timers.findLast(one => one.on).ms, 5000)
})

test('bytes damaged on the phone are not sent, and it is shown', async () => {
  const {phone, store, server, sync} = await world()
  const [{id}] = await saveDrafts(store, [note('rent is 100'), note('fine')])
  const row = [...(await store.read()).outbox.values()].find(one => one.id === id)
  const damaged = new TextEncoder().encode(row.text.replace('100', '900')).buffer
  await new Promise(resolve => {
    indexedDB.open(phone.name).onsuccess = ({target: {result: db}}) => {
      const tx = db.transaction(['outbox', 'meta'], 'readwrite')
      tx.objectStore('outbox').put({
        id,
        by: 'bob',
        visit: VISIT,
        sha256: row.sha256,
        bytes: damaged,
      })
      tx.objectStore('meta').get('change').onsuccess = ({target}) =>
        tx.objectStore('meta').put({id: 'change', value: target.result.value + 1})
      tx.oncomplete = () => {
        db.close()
        resolve()
      }
    }
  })
  await sync.now()
  assert.deepEqual(server.texts(), ['fine'])
  assert.deepEqual(
    (await unsent(store)).map(one => [one.id, one.state, one.problem]),
    [[id, 'needs', 'damaged']],
  )
})
