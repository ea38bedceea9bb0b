// Writes down what a phone of this release keeps and sends: `node tests/field/release.mjs >
// tests/data/released/<name>/phone.json`, once, when a release is made. Invariant: what lies in
// tests/data/released is never made anew; every later store and server must take it as it is
// (released.test.mjs, tests/phones/test_released.py).

import {enrolled, outbox, until} from './phone.mjs'
import {Server} from './server.mjs'
import {svg} from './world.mjs'

const {saveDrafts} = outbox
const {startSync} = await import('../../static/field/sync/schedule.js')
const {sha256} = await import('../../static/field/record/ids.js')

const BOB = {
  id: '0b0b0000-0000-4000-8000-0000000000b0',
  name: 'Bob Testsson',
  role: 'visitor',
  languages: ['sv', 'ar'],
  interface_language: 'sv',
}
const OPENED = '6f1c0000-0000-4000-8000-0000000000aa'
const PLANNED = '6f1c0000-0000-4000-8000-0000000000bb'
const subject = {type: 'visit', id: OPENED}
const shown = {guide: 'g1', language: 'ar'}

const {phone, store} = await enrolled(BOB)
const server = new Server()
server.user = BOB.id
server.desk('visit.plan', PLANNED, {tenancy: '', kind: 'welcome'})
server.desk('visit.assign', PLANNED, {visitors: [BOB.id], date: '2026-11-23'}, [BOB.id])
const sync = startSync(store, {
  fetch: server.fetch,
  window: new EventTarget(),
  locks: null,
  packs: null,
  timer: {set() {}, clear() {}},
  health: async () => ({
    persisted: true,
    installed: true,
    quota: 1e9,
    usage: 1e6,
    version: 'release',
  }),
})
await sync.now()

async function consent(purpose, path) {
  const bytes = svg(path)
  const hash = await sha256(bytes)
  const data = {
    purpose,
    decision: 'yes',
    text_key: `${purpose}.text`,
    text_version: '1',
    text_sha256: '0'.repeat(64),
    text_state: 'reviewed',
    language: 'ar',
    recipient: '',
    given_by: 'tenant',
    method: 'signature',
    attested: false,
    signature: hash,
    interpreter: 'none',
    expires: '2027-11-22',
  }
  return saveDrafts(
    store,
    [{kind: 'visit.consent', subject, data}],
    [{sha256: hash, type: 'image/svg+xml', bytes}],
  )
}
const half = [
  {kind: 'visit.open', subject, data: {tenancy: '', kind: 'contact', language: 'ar'}},
  {kind: 'visit.answer', subject, data: {item: 'i09', answer: 'done', ...shown}},
  {
    kind: 'visit.tick',
    subject,
    data: {section: 's02', answers: {i10: 'done', i11: 'done'}, ...shown},
  },
  {kind: 'visit.note', subject, data: {item: 'i39', text: 'Kranen droppar "lite" åäö 👍'}},
  {
    kind: 'visit.follow_up',
    subject,
    data: {item: 'i39', queue: 'FV', urgency: 'three_days', text: 'Kran'},
  },
]
await saveDrafts(store, half)
await consent('K1', 'M1 1L2 2')
await sync.now()
const [{id: struck}] = await saveDrafts(store, [
  {kind: 'visit.note', subject, data: {item: '', text: 'struck out'}},
])
await saveDrafts(store, [
  {kind: 'visit.language', subject, data: {language: 'so'}},
  {kind: 'visit.retract', subject, data: {operation: struck}},
  {kind: 'visit.attempt', subject, data: {outcome: 'rebooked', date: '2026-12-01', time: '10:00'}},
  {kind: 'visit.withdraw', subject, data: {purpose: 'K1', channel: 'visit'}},
  {
    kind: 'tally.count',
    subject: {type: 'tally', id: '6f1c0000-0000-4000-8000-0000000000cc'},
    data: {day: '2026-11-22', area: 'Norr', topic: 'smiley', value: 'good'},
  },
  {kind: 'visit.close', subject, data: {let_go: [], read_back: true}},
  {kind: 'visit.reopen', subject, data: {}},
])
await consent('K2', 'M3 3L4 4')
const unsent = [...(await store.read()).outbox.values()]
  .filter(row => !server.log.some(one => one.id === row.id))
  .map(row => row.id)

const stores = await new Promise((resolve, reject) => {
  const open = indexedDB.open(phone.name)
  open.onerror = reject
  open.onsuccess = async () => {
    const db = open.result
    const found = {}
    for (const name of db.objectStoreNames) {
      const rows = await new Promise(done => {
        db.transaction(name).objectStore(name).getAll().onsuccess = event =>
          done(event.target.result)
      })
      found[name] = rows.map(({bytes, ...rest}) =>
        bytes ? {...rest, bytes: Buffer.from(bytes).toString('base64')} : rest,
      )
    }
    db.close()
    resolve({version: db.version, found})
  }
})
await sync.now()
await until(async () => (await outbox.counts(store)).unsent === 0)
sync.stop()
const pushes = server.requests
  .filter(one => one.path === '/sync/push' && one.body.operations.length > 0)
  .map(one => one.body)
process.stdout.write(
  `${JSON.stringify({person: BOB, device: store.device.id, visit: OPENED, planned: PLANNED, unsent, version: stores.version, stores: stores.found, pushes}, null, 1)}\n`,
)
