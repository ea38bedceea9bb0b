// Uploads of blobs, when the phone talks to the server, and what it reports about itself.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {BOB, note, outbox, until, VISIT} from './phone.mjs'
import {PAGE} from './server.mjs'
import {altered, planned, pushes, signed, svg, world} from './world.mjs'

const {saveDrafts, unsent, counts} = outbox
const {startSync} = await import('../../static/field/sync/schedule.js')

// --- blobs

test('a small signature rides along as text and is sent once', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, svg('M1 1'))
  await sync.now()
  const [{body}] = pushes(server).slice(-1)
  assert.match(body.blobs[0].text, /^<svg/)
  assert.ok(server.blobs.has(hash))
  assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
  await saveDrafts(store, [note('x')])
  await sync.now()
  assert.deepEqual(pushes(server).at(-1).body.blobs, [])
})

test('bytes that are no text ride as base64', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, new Uint8Array([0x89, 0x50, 0xff, 0, 1]).buffer, 'image/png')
  await sync.now()
  assert.deepEqual([...server.blobs.get(hash)], [0x89, 0x50, 0xff, 0, 1])
})

const large = size => Uint8Array.from({length: size}, (_, n) => (n * 7) % 251).buffer

test('a large blob is sent in pieces, and goes on from where it broke off', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, large(700_000), 'image/png')
  let pieces = 0
  server.meddle = ({method}, answer) => {
    if (method === 'PUT' && ++pieces >= 2) throw new TypeError('tunnel')
    return answer()
  }
  await sync.now()
  assert.equal((await counts(store)).unsent, 1, 'its signature is not there yet: not sent')
  assert.equal((await unsent(store))[0].state, 'phone')
  server.requests.length = 0
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.equal(server.blobs.get(hash).length, 700_000)
  assert.deepEqual(
    server.requests
      .filter(one => one.method === 'PUT')
      .map(one => one.headers.get('Content-Range')),
    ['bytes 262144-524287/700000', 'bytes 524288-699999/700000'],
  )
  assert.equal((await counts(store)).unsent, 0)
})

test('a picture keeps its operation on the phone until a backup holds it', async () => {
  const {store, server, sync} = await world()
  planned(server)
  const {hash} = await signed(store, large(300_000), 'image/png')
  server.meddle = ({method}, answer) => {
    if (method === 'PUT') server.backup = server.log.length // made between the operation and its picture
    return answer()
  }
  await sync.now()
  await sync.now()
  assert.ok(server.blobs.has(hash))
  assert.equal((await counts(store)).unsent, 0)
  assert.ok(await store.blob(hash), 'a restore of that backup would have lost it')
  await saveDrafts(store, [note('x')])
  await sync.now()
  server.backup = server.log.length
  await sync.now()
  assert.ok(!(await store.blob(hash)))
})

test('a picture that a restored server lost is removed from the phone only after it was sent again', async () => {
  const {store, server, sync} = await world()
  planned(server)
  const {hash} = await signed(store, large(300_000), 'image/png')
  await sync.now()
  await sync.now()
  await saveDrafts(store, [note('x'), note('y')])
  await sync.now()
  server.blobs.delete(hash)
  server.backup = server.log.length
  await sync.now()
  assert.ok(await store.blob(hash), 'gone from the phone and not at the server')
  await sync.now()
  assert.equal(server.blobs.get(hash)?.length, 300_000)
})

test('a server put back to between an operation and its picture gets the picture again, though its log is the same', async () => {
  const {store, server, sync} = await world()
  planned(server)
  const {hash} = await signed(store, large(300_000), 'image/png')
  await sync.now()
  await sync.now()
  server.blobs.delete(hash)
  await sync.now()
  assert.equal(server.blobs.get(hash)?.length, 300_000)
})

test('a picture that a pull has confirmed is not verified in each round', async () => {
  const {store, server, sync} = await world()
  planned(server)
  await signed(store, large(20_000), 'image/png')
  await sync.now()
  await saveDrafts(store, [note('x')])
  await sync.now()
  server.requests.length = 0
  await sync.now()
  assert.deepEqual(
    server.requests.filter(one => one.method === 'HEAD'),
    [],
  )
})

test('a picture stays while the server does not say whether it has it', async () => {
  const {store, server, sync} = await world()
  planned(server)
  const {hash} = await signed(store, large(20_000), 'image/png')
  await sync.now()
  await saveDrafts(store, [note('x')])
  await sync.now()
  server.backup = server.log.length
  for (const answer of [() => new Response('', {status: 503}), PAGE]) {
    server.meddle = ({method}, proper) => (method === 'HEAD' ? answer() : proper())
    await sync.now()
    assert.ok(await store.blob(hash))
  }
  server.meddle = (request, proper) => proper()
  await sync.now()
  assert.ok(!(await store.blob(hash)))
})

test('a signature that the server misses after all is sent again', async () => {
  const {store, server, sync} = await world()
  server.holds = () => 'no_right'
  const {hash} = await signed(store, svg('M1 1'))
  await sync.now()
  assert.ok(server.blobs.has(hash))
  server.blobs.clear()
  await sync.now() // held work is offered in each round; the answer says what is missing
  await sync.now()
  assert.ok(server.blobs.has(hash))
})

test('on a slow line the pieces get smaller until they get through', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, large(300_000), 'image/png')
  server.meddle = ({method, body}, answer) => {
    if (method === 'PUT' && body.length > 20_000)
      throw new DOMException('20 s are over', 'TimeoutError')
    return answer()
  }
  await sync.now()
  assert.equal(server.blobs.get(hash)?.length, 300_000)
  assert.equal((await counts(store)).unsent, 0)
})

test('a picture the server refuses holds up neither the pull nor the next picture', async () => {
  const {store, server, sync} = await world()
  planned(server)
  const [bad, good] = [
    await signed(store, large(20_000), 'image/png'),
    await signed(store, large(30_000), 'image/png'),
  ]
  server.meddle = ({method, path}, answer) =>
    method === 'PUT' && path.endsWith(bad.hash)
      ? new Response('{"problem": "internal"}', {
          status: 500,
          headers: {'Content-Type': 'application/json'},
        })
      : answer()
  await sync.now()
  assert.ok(server.blobs.has(good.hash))
  assert.equal((await store.visits()).length, 1, 'the pull did not come')
  assert.equal(sync.status().problem, 'internal')
  assert.deepEqual(
    (await unsent(store)).map(row => [row.id, row.state]),
    [[bad.id, 'phone']],
  )
  server.meddle = (request, answer) => answer()
  await sync.now()
  assert.deepEqual(
    [await counts(store), sync.status().problem],
    [{unsent: 0, needs: 0, waits: 0}, ''],
  )
})

test('an upload that arrived damaged begins again from 0', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, large(300_000), 'image/png')
  server.parts.set(hash, Buffer.alloc(262_144))
  await sync.now()
  assert.equal(server.blobs.get(hash)?.length, 300_000)
  assert.equal((await counts(store)).unsent, 0)
})

test('a HEAD that claims everything is not trusted by itself', async () => {
  const {store, server, sync} = await world()
  const {hash} = await signed(store, large(300_000), 'image/png')
  server.meddle = ({method}, answer) =>
    method === 'HEAD' ? new Response(null, {headers: {'Upload-Offset': '300000'}}) : answer()
  await sync.now()
  assert.equal(server.blobs.get(hash)?.length, 300_000)
})

test('a blob that the server refuses needs someone', async () => {
  const {store, server, sync} = await world()
  await signed(store, large(300_000), 'image/png')
  server.meddle = ({method}, answer) =>
    method === 'PUT'
      ? new Response('{"problem": "blob_type"}', {
          status: 415,
          headers: {'Content-Type': 'application/json'},
        })
      : answer()
  await sync.now()
  assert.deepEqual(
    (await unsent(store)).map(row => [row.state, row.problem]),
    [['needs', 'blob_type']],
  )
  assert.equal(sync.status().online, 'yes')
})

// --- when, and what is reported

test('taps within a second are sent together, in one request', async () => {
  const {store, server, fire} = await world()
  planned(server)
  await saveDrafts(store, [note('a')])
  await saveDrafts(store, [note('b')])
  server.requests.length = 0
  await fire(1000)
  assert.deepEqual(
    server.requests.map(one => one.path),
    ['/sync/push', '/sync/pull'],
  )
  assert.deepEqual(server.texts(), ['a', 'b'])
})

test('failures are followed by growing pauses, and taps do not shorten them', async () => {
  const {store, server, sync, timers, fire} = await world()
  server.meddle = () => {
    throw new TypeError('no network')
  }
  const pauses = []
  for (let n = 0; n < 8; n++) {
    await sync.now()
    pauses.push(timers.findLast(one => one.on).ms)
  }
  assert.deepEqual(pauses, [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  assert.equal(sync.status().online, 'no')
  await saveDrafts(store, [note('x')])
  assert.ok(!timers.some(one => one.on && one.ms === 1000))
  server.meddle = (request, answer) => answer()
  await fire(300_000)
  assert.deepEqual(server.texts(), ['x'])
  assert.equal((await until(() => timers.findLast(one => one.on))).ms, 60_000)
})

test('phones do not ask in step: each pause is half to one and a half of its length', async () => {
  for (const [random, calm, retry] of [
    [0, 30_000, 2500],
    [0.99, 89_400, 7450],
  ]) {
    const {server, sync, timers} = await world({random: () => random})
    const pause = () => Math.round(timers.findLast(one => one.on).ms)
    assert.equal(pause(), calm)
    server.meddle = () => {
      throw new TypeError('no network')
    }
    await sync.now()
    assert.equal(pause(), retry)
  }
})

test('coming online or back to the page begins a round', async () => {
  const {store, server, sync, parts} = await world()
  for (const name of ['online', 'pageshow']) {
    await saveDrafts(store, [note(name)])
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
  const gate = new Promise(resolve => {
    open = resolve
  })
  server.meddle = async ({path}, answer) => {
    if (path === '/session') await gate
    return answer()
  }
  server.requests.length = 0
  const first = sync.now()
  await until(() => server.requests.length === 1)
  await saveDrafts(store, [note('meanwhile')])
  const later = [sync.now(), sync.now(), sync.now()]
  open()
  await Promise.all([first, ...later])
  assert.equal(server.requests.filter(one => one.path === '/sync/pull').length, 2)
  assert.deepEqual(server.texts(), ['meanwhile'])
})

test('the page is notified when something changed and not otherwise', async () => {
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
  await saveDrafts(store, [note('a')])
  await saveDrafts(other, [note('b')])
  await Promise.all(both.map(one => one.now()))
  assert.deepEqual(server.texts().sort(), ['a', 'b'])
  assert.deepEqual(
    [await counts(store), await counts(other)],
    [
      {unsent: 0, needs: 0, waits: 0},
      {unsent: 0, needs: 0, waits: 0},
    ],
  )
})

test('a lock that another tab never gives back stops nothing', async () => {
  const locks = {
    request: async (name, {signal}) => {
      throw signal.reason ?? new DOMException('waited long enough', 'AbortError')
    },
  }
  const {store, server, sync} = await world({locks})
  await saveDrafts(store, [note('x')])
  await sync.now()
  assert.deepEqual(server.texts(), ['x'])
})

test('the phone reports how it is: at the start, and with each push how it will stand after it', async () => {
  const {store, server, sync} = await world()
  assert.deepEqual(server.health, [
    {version: 'v1', persisted: true, tight: false, unsent: 0, oldest_unsent_at: ''},
  ])
  planned(server)
  server.operationsMax = 1
  await saveDrafts(store, [note('a'), note('b')])
  const [, {operation}] = [...(await store.read()).outbox.values()].sort(
    (a, b) => a.operation.device_seq - b.operation.device_seq,
  )
  await sync.now()
  assert.deepEqual(
    server.health.slice(1).map(one => [one.unsent, one.oldest_unsent_at]),
    [
      [1, operation.at],
      [0, ''],
    ],
  )
})

test('a loss is reported until the server has acknowledged it', async () => {
  const {phone, store, server, sync} = await world()
  await saveDrafts(store, [note('a')])
  await until(() => phone.storages[0].getItem('troskel-canary').includes('"unsent":1'))
  sync.stop()
  await phone.wipe()
  const reborn = await phone.tab()
  await reborn.enrol()
  await reborn.signIn(BOB)
  server.meddle = () => {
    throw new TypeError('no network')
  }
  const again = startSync(reborn, {...(await world()).parts, fetch: server.fetch})
  await again.now()
  server.health.length = 0
  server.meddle = (request, answer) => answer()
  await again.now()
  assert.deepEqual(
    server.health.map(one => [one.lost, one.lost_unsent, one.lost_device]),
    [['emptied', 1, store.device.id]],
  )
  assert.equal(reborn.lost.reason, 'emptied', 'still shown on the phone')
  assert.equal((await phone.tab()).lost, null)
})

test('a server that has seen the numbers before reveals a phone put back', async () => {
  const {store, server, sync} = await world()
  server.meddle = ({path}, answer) =>
    path === '/sync/push'
      ? altered(answer, body => {
          body.reused = [1]
        })
      : answer()
  await saveDrafts(store, [note('a')])
  await sync.now()
  assert.equal(store.lost.reason, 'rolled_back')
})

test('a clock that is wrong is noticed, and hides nothing', async () => {
  const {store, server, sync, clock} = await world()
  planned(server)
  server.now = () => new Date()
  clock.now = new Date(Date.now() - 3 * 3_600_000)
  await sync.now()
  const {clock_offset_ms: offset} = await store.facts()
  assert.ok(Math.abs(offset - 3 * 3_600_000) < 5_000, `${offset}`)
  assert.equal((await store.visits()).length, 1)
})

test('a phone clock that jumps three years ahead deletes nothing the backup has not passed', async () => {
  const {store, server, sync, clock} = await world()
  planned(server)
  const [{id}] = await saveDrafts(store, [note('a')])
  await sync.now()
  server.now = () => new Date('2026-11-22T10:00:00Z')
  clock.now = new Date('2029-11-22T10:00:00Z')
  await sync.now()
  assert.ok((await store.read()).outbox.has(id))
  server.now = () => new Date('2026-12-07T10:00:00Z')
  await sync.now()
  assert.ok(!(await store.read()).outbox.has(id), 'fifteen days by the server are')
})

test("a pull for somebody else is not taken for one's own", async () => {
  const {store, server, sync} = await world()
  planned(server)
  // Between /session and the pull, somebody signs in in another window.
  server.meddle = async ({path}, answer) => {
    if (path === '/sync/pull') server.user = 'amira'
    return answer()
  }
  server.show(VISIT, 'amira')
  await sync.now()
  assert.deepEqual(await store.visits(), [])
  assert.equal(sync.status().needs_sign_in, true)
  server.meddle = (request, answer) => answer()
  server.user = 'bob'
  await sync.now()
  assert.equal((await store.visits()).length, 1)
})

test('a counter is removed by its own number and is tied to no visit', async () => {
  const {store, server, sync} = await world()
  const draft = {
    kind: 'tally.count',
    subject: {type: 'tally', id: VISIT.replace(/1$/, '7')},
    data: {day: '2026-11-22', area: 'A', topic: 'i68', value: 'good'},
  }
  await saveDrafts(store, [draft])
  assert.equal((await unsent(store))[0].visit, '')
  server.backup = 1
  await sync.now()
  assert.equal(server.log[0].operation.kind, 'tally.count')
  assert.equal((await store.read()).outbox.size, 0)
  assert.deepEqual(await store.visits(), [])
})
