// Saving on the phone: what was shown as saved is there, once, with the bytes it was made with,
// whatever fails in between.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {AMIRA, BOB, enrolled, newPhone, note, outbox, SaveFailed, VISIT} from './phone.mjs'

const {saveDrafts, unsent, counts} = outbox
const {sha256, uuid7} = await import('../../static/field/record/ids.js')

const rowsOf = async store =>
  [...(await store.read()).outbox.values()].sort(
    (a, b) => a.operation.device_seq - b.operation.device_seq,
  )
const databaseNumbers = async store => (await rowsOf(store)).map(row => row.operation.device_seq)

test('a saved operation has the bytes of the protocol', async () => {
  const {store} = await enrolled()
  const id = uuid7()
  await saveDrafts(store, [note('Kranen droppar "lite" åäö 👍', id)])
  const [row] = await rowsOf(store)
  const {at} = row.operation
  assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/)
  assert.equal(
    row.text,
    `{"id":"${id}","v":1,"kind":"visit.note","subject":{"type":"visit","id":"${VISIT}"},"by":"bob",` +
      `"device":"${store.device.id}","device_seq":1,"at":"${at}","base":0,"data":{"item":"","text":"Kranen droppar \\"lite\\" åäö 👍"}}`,
  )
  assert.equal(row.sha256, await sha256(new TextEncoder().encode(row.text)))
})

test('what is saved is in the database itself, not only in memory', async () => {
  const {phone, store} = await enrolled()
  await saveDrafts(store, [note('one'), note('two')])
  const another = await phone.tab()
  assert.deepEqual(
    (await rowsOf(another)).map(row => row.operation.data.text),
    ['one', 'two'],
  )
  assert.deepEqual(await counts(another), {unsent: 2, needs: 0, waits: 0})
})

test('a double tap is one operation, also when both come at once', async () => {
  const {store} = await enrolled()
  const tap = () =>
    saveDrafts(store, [note('x', '019ab000-0000-7000-8000-000000000001'), note('y')])
  const answers = await Promise.all([tap(), tap(), tap()])
  await tap()
  assert.deepEqual(answers[0], answers[1])
  assert.equal(answers[0].length, 2)
  assert.deepEqual(await databaseNumbers(store), [1, 2])
})

test('a draft whose operation has left the outbox with a receipt is not saved again', async () => {
  const {store} = await enrolled()
  const [{id}] = await saveDrafts(store, [note('x')])
  await store.update(() => [
    {drop: 'outbox', id},
    {
      put: 'receipts',
      value: {
        id,
        by: 'bob',
        visit: VISIT,
        result: 'applied',
        seq: 4,
        problem: '',
        comment: '',
        at: '2026-11-22T10:00:00Z',
      },
    },
  ])
  assert.deepEqual(await saveDrafts(store, [note('x', id)]), [{id}])
  assert.deepEqual(await databaseNumbers(store), [])
})

test('two tabs that save at once give numbers without gaps', async () => {
  const {phone, store} = await enrolled()
  const other = await phone.tab()
  const all = []
  for (let n = 0; n < 25; n++)
    all.push(saveDrafts(store, [note(`a${n}`)]), saveDrafts(other, [note(`b${n}`), note(`c${n}`)]))
  await Promise.all(all)
  const expected = Array.from({length: 75}, (_, n) => n + 1)
  assert.deepEqual(await databaseNumbers(store), expected)
  assert.deepEqual(await databaseNumbers(other), expected)
})

test('a draft that makes no sense is refused before anything is written', async () => {
  const {store} = await enrolled()
  const subject = {type: 'visit', id: VISIT}
  const wrong = [
    {kind: 'visit.dance', subject, data: {}},
    {kind: 'visit.note', subject, data: {item: null, text: 'x'}},
    {kind: 'visit.note', subject, data: {item: undefined, text: 'x'}},
    {kind: 'visit.consent', subject, data: {signature: 'a'.repeat(64)}},
  ]
  for (const draft of wrong) await assert.rejects(saveDrafts(store, [draft]), TypeError)
  await assert.rejects(
    saveDrafts(
      store,
      [note('a', uuid7()), note('b')].map(one => ({...one, id: 'same'})),
    ),
    TypeError,
  )
  await assert.rejects(
    saveDrafts(store, [note('x'.repeat(17_000))]),
    error => error instanceof SaveFailed && error.code === 'too_large',
  )
  assert.deepEqual(await databaseNumbers(store), [])
})

test('nobody signed in, or no database: nothing is saved, and the save fails', async () => {
  const {store} = await enrolled()
  await store.signOut()
  await assert.rejects(saveDrafts(store, [note('x')]), error => error.code === 'nobody')
  const bare = await newPhone().tab()
  assert.equal(bare.enrolled, false)
  await assert.rejects(saveDrafts(bare, [note('x')]), error => error.code === 'not_enrolled')
})

test('a signature is saved with its consent and given back as it was', async () => {
  const {store} = await enrolled()
  const bytes = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>').buffer
  const hash = await sha256(bytes)
  const consent = {
    kind: 'visit.consent',
    subject: {type: 'visit', id: VISIT},
    data: {purpose: 'K1', decision: 'yes', signature: hash},
  }
  await assert.rejects(
    saveDrafts(store, [consent], [{sha256: 'f'.repeat(64), type: 'image/svg+xml', bytes}]),
    TypeError,
  )
  await saveDrafts(store, [consent], [{sha256: hash, type: 'image/svg+xml', bytes}])
  const kept = await store.blob(hash)
  assert.equal(kept.type, 'image/svg+xml')
  assert.deepEqual(new Uint8Array(kept.bytes), new Uint8Array(bytes))
  assert.equal(await store.blob('0'.repeat(64)), null)
})

const picture = (id, photo, item = 'i37') => ({
  id,
  kind: 'visit.photo',
  subject: {type: 'visit', id: VISIT},
  data: {item, photo},
})
const strike = operation => ({
  kind: 'visit.retract',
  subject: {type: 'visit', id: VISIT},
  data: {operation},
})
const jpeg = async text => {
  const bytes = new TextEncoder().encode(`\xff\xd8${text}`).buffer
  return {sha256: await sha256(bytes), type: 'image/jpeg', bytes}
}

test('a struck photo takes its picture off the phone in the same moment, unless another photo shows it', async () => {
  const {store} = await enrolled()
  const [one, other] = [await jpeg('one'), await jpeg('other')]
  const ids = [uuid7(), uuid7(), uuid7()]
  await saveDrafts(store, [picture(ids[0], one.sha256)], [one])
  await saveDrafts(store, [picture(ids[1], one.sha256, 'i41')], [one])
  await saveDrafts(store, [picture(ids[2], other.sha256)], [other])
  await saveDrafts(store, [strike(ids[0])])
  assert.ok(await store.blob(one.sha256), 'the other photo lost its picture')
  await saveDrafts(store, [strike(ids[1])])
  assert.equal(await store.blob(one.sha256), null)
  assert.ok(await store.blob(other.sha256))
  assert.deepEqual(
    (await store.visit(VISIT)).record.photos.map(row => [row.item, row.retracted]),
    [
      ['i37', true],
      ['i41', true],
      ['i37', false],
    ],
  )
})

test('a strike never takes a signature off the phone', async () => {
  const {store} = await enrolled()
  const blob = await jpeg('signature')
  const consent = {
    id: uuid7(),
    kind: 'visit.consent',
    subject: {type: 'visit', id: VISIT},
    data: {purpose: 'K1', decision: 'yes', signature: blob.sha256},
  }
  await saveDrafts(store, [consent], [blob])
  await saveDrafts(store, [strike(consent.id)])
  assert.ok(await store.blob(blob.sha256))
})

test('a picture that was struck and is taken again is offered to the server anew', async () => {
  const {store} = await enrolled()
  const one = await jpeg('one')
  const [first, second] = [uuid7(), uuid7()]
  const receipt = (id, result) => ({
    put: 'receipts',
    value: {
      id,
      by: 'bob',
      visit: VISIT,
      result,
      seq: 4,
      problem: '',
      comment: '',
      push: '',
      at: '2026-11-22T10:00:00Z',
    },
  })
  await saveDrafts(store, [picture(first, one.sha256)], [one])
  await store.update(() => [receipt(first, 'applied'), receipt(one.sha256, 'stored')])
  await saveDrafts(store, [strike(first)])
  await saveDrafts(store, [picture(second, one.sha256)], [one])
  await store.update(() => [receipt(second, 'applied')])
  assert.deepEqual(
    (await unsent(store)).map(row => row.kind),
    ['visit.retract', 'visit.photo'],
  )
})

test('bytes that read back otherwise than written are not called saved', async () => {
  const {store} = await enrolled()
  const readBack = store.readBack.bind(store)
  store.readBack = async (name, id) => {
    const row = await readBack(name, id)
    return row && name === 'outbox' ? {...row, text: row.text.replace('drips', 'drops')} : row
  }
  await assert.rejects(
    saveDrafts(store, [note('tap drips')]),
    error => error instanceof SaveFailed && error.code === 'read_back',
  )
})

// --- faults: every call into the database fails once, in turn

const CALLS = [
  [FDBObjectStore(), ['get', 'getAll', 'getAllKeys', 'put', 'add', 'delete']],
  [IDBDatabase.prototype, ['transaction']],
]

function FDBObjectStore() {
  return IDBObjectStore.prototype
}

/** Count the calls into IndexedDB and let `fault(n, store)` do harm at the nth. @returns {() => number} restores all, returns the count */
function watch(fault) {
  const kept = CALLS.flatMap(([prototype, names]) =>
    names.map(name => [prototype, name, prototype[name]]),
  )
  let calls = 0
  for (const [prototype, name, original] of kept) {
    prototype[name] = function harmed(...parameters) {
      fault(++calls, this)
      return original.apply(this, parameters)
    }
  }
  return () => {
    for (const [prototype, name, original] of kept) prototype[name] = original
    return calls
  }
}

const abort = target => {
  try {
    target.transaction?.abort?.()
  } catch {
    /* over already */
  }
}

async function callsOfOneSave() {
  const {store} = await enrolled()
  const stop = watch(() => {})
  await saveDrafts(store, [note('one'), note('two')])
  return stop()
}

test('I1: a crash between any two steps of saving loses nothing that was shown as saved, and doubles nothing', async () => {
  const calls = await callsOfOneSave()
  assert.ok(calls > 8, `only ${calls} calls`)
  const seen = new Set()
  for (let n = 1; n <= calls + 1; n++) {
    const {phone, store} = await enrolled()
    const drafts = [note('one', uuid7()), note('two')]
    // From the nth call on the phone is dead: what is under way is rolled back, nothing else begins.
    const stop = watch((call, target) => {
      if (call < n) return
      abort(target)
      throw new Error('dead')
    })
    const saved = await saveDrafts(store, drafts).then(
      () => true,
      () => false,
    )
    stop()
    const reborn = await phone.tab()
    const numbers = await databaseNumbers(reborn)
    assert.ok(numbers.length === 0 || numbers.length === 2, `call ${n}: half a tap`)
    if (saved) assert.equal(numbers.length, 2, `call ${n}: shown as saved, is not there`)
    await saveDrafts(reborn, drafts)
    assert.deepEqual(await databaseNumbers(reborn), [1, 2], `call ${n}: again`)
    assert.equal(reborn.lost, null)
    seen.add(`${saved} ${numbers.length}`)
  }
  // Dead before the commit, after it but before the read-back, and not at all: all were met.
  assert.deepEqual([...seen].sort(), ['false 0', 'false 2', 'true 2'])
})

for (const name of ['InvalidStateError', 'UnknownError', 'AbortError']) {
  test(`a connection cut with ${name} at any step is opened again and the tap saved once`, async () => {
    const calls = await callsOfOneSave()
    for (let n = 1; n <= calls; n++) {
      const {phone, store} = await enrolled()
      const stop = watch((call, target) => {
        if (call !== n) return
        abort(target)
        throw new DOMException('cut', name)
      })
      await saveDrafts(store, [note('one'), note('two')])
      stop()
      assert.deepEqual(await databaseNumbers(await phone.tab()), [1, 2], `call ${n}`)
    }
  })
}

test('a connection that stays cut ends in SaveFailed after 50, 250 and 1000 ms', async () => {
  const {phone} = await enrolled()
  const waits = []
  const store = await phone.tab({
    wait: async ms => {
      waits.push(ms)
    },
  })
  const stop = watch((call, target) => {
    abort(target)
    throw new DOMException('The database connection is closing.', 'Error')
  })
  await assert.rejects(
    saveDrafts(store, [note('x')]),
    error => error instanceof SaveFailed && error.code === 'connection',
  )
  stop()
  assert.deepEqual(waits, [50, 250, 1000])
  await saveDrafts(store, [note('x')])
  assert.deepEqual(await databaseNumbers(store), [1])
})

test('a commit that is aborted after its requests succeeded is no save', async () => {
  const {phone, store} = await enrolled()
  const {put} = IDBObjectStore.prototype
  let aborted = false
  IDBObjectStore.prototype.put = function late(value) {
    const request = put.call(this, value)
    if (value.id === 'change' && !aborted) {
      request.addEventListener('success', () => {
        aborted = true
        request.transaction.abort() // as iOS does on its way to the background
      })
    }
    return request
  }
  await saveDrafts(store, [note('x')])
  IDBObjectStore.prototype.put = put
  assert.ok(aborted)
  assert.deepEqual(await databaseNumbers(await phone.tab()), [1])
})

test('a full phone reports it', async () => {
  const {store} = await enrolled()
  const add = IDBObjectStore.prototype.add
  IDBObjectStore.prototype.add = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  await assert.rejects(
    saveDrafts(store, [note('x')]),
    error => error instanceof SaveFailed && error.code === 'quota',
  )
  IDBObjectStore.prototype.add = add
})

test('every write is strict', async () => {
  const {store} = await enrolled()
  const transaction = IDBDatabase.prototype.transaction
  const modes = []
  IDBDatabase.prototype.transaction = function asked(names, mode = 'readonly', options = {}) {
    if (mode !== 'readonly') modes.push(options.durability)
    return transaction.call(this, names, mode, options)
  }
  await saveDrafts(store, [note('x')])
  IDBDatabase.prototype.transaction = transaction
  assert.deepEqual(modes, ['strict'])
})

// --- several persons on one phone

test('signing out hides and deletes nothing; another person sees neither words nor visits', async () => {
  const {store} = await enrolled(BOB)
  await saveDrafts(store, [
    {
      kind: 'visit.open',
      subject: {type: 'visit', id: VISIT},
      data: {tenancy: '', kind: 'contact', language: 'ar'},
    },
    note('secret'),
  ])
  assert.equal((await store.visits()).length, 1)
  await store.signOut()
  assert.deepEqual(
    [await store.visits(), await store.visit(VISIT), await store.person()],
    [[], null, null],
  )
  assert.deepEqual(await counts(store), {unsent: 2, needs: 0, waits: 2})
  await store.signIn(AMIRA)
  await saveDrafts(store, [note('hers')])
  const rows = await unsent(store)
  assert.deepEqual(
    rows.map(row => [row.by, row.state, row.kind, row.data.text]),
    [
      ['bob', 'waits', '', undefined],
      ['bob', 'waits', '', undefined],
      ['amira', 'phone', 'visit.note', 'hers'],
    ],
  )
  assert.deepEqual(await counts(store), {unsent: 3, needs: 0, waits: 2})
  await store.signIn(BOB)
  assert.deepEqual(
    (await store.visit(VISIT)).record.notes.map(one => one.text),
    ['secret'],
  )
  assert.deepEqual((await store.visit(VISIT)).unsent, 2)
})
