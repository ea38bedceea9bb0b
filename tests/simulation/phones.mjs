// The phones of a simulation: the shipped code of static/field in lives that can be cut off at any
// point. A line of JSON in, a line of JSON out; between two lines every phone stands still.
// Invariant: nothing here depends on a real clock, a thread or chance: time, ids and the moment of
// each fault come with the command, so the same commands give the same answers on every machine.
// It does not know the server: requests are handed out, and answers come in.

import {createInterface} from 'node:readline'

import {
  Answer,
  chance,
  cryptoOf,
  FakeBlob,
  FakeResponse,
  MemoryStorage,
  plain,
  sha256,
} from './fake_browser.mjs'
import {IDB_NAMES, makeCode, NAMES} from './phone_code.mjs'

// fake-indexeddb asks for setImmediate at each task: so they come to our queue, one point of a
// possible crash each.
const realTurn = globalThis.setImmediate
const tasks = []
globalThis.setImmediate = task => {
  tasks.push(task)
}
const idb = await import('fake-indexeddb')
const {forceCloseDatabase} = idb

// --- phones, and their lives (a tab each)

const phones = new Map()
let now = 0
let requestCount = 0
const requests = new Map() // id → {life, resolve, reject, told}
let told = [] // what happened since the last command

class Phone {
  constructor(name, seed) {
    this.name = name
    this.factory = new idb.IDBFactory()
    this.storages = [new MemoryStorage(), new MemoryStorage()]
    this.random = chance(seed)
    this.skew = 0
    this.zone = 0
    this.lives = []
    this.fault = null // {kind, at}: the `at`th transaction of the command fails so
    this.transactions = 0
    this.points = 0
    this.crashAt = 0
    this.moves = 0 // writes begun and ended, requests, marks in other storages
    this.seen = 0
  }
}

class Life {
  dead = false
  writing = 0 // transactions that may change something
  connections = new Set()
  open = new Set()
  timers = []
  store = null
  sync = null
  listeners = new Map()

  constructor(phone, tab) {
    this.phone = phone
    this.tab = tab
    this.code = makeCode(...this.environment())
  }

  environment() {
    const {phone} = this
    class PhoneDate extends Date {
      constructor(...given) {
        super(...(given.length ? given : [now + phone.skew]))
      }
      static now() {
        return now + phone.skew
      }
      getTimezoneOffset() {
        return phone.zone
      }
    }
    const target = {
      addEventListener: (name, run) => {
        this.listeners.set(name, [...(this.listeners.get(name) ?? []), run])
      },
      removeEventListener() {},
    }
    // Two pages of one browser: neither can be sure that nobody signed in elsewhere.
    const document = {...target, visibilityState: 'visible', hasFocus: () => phone.lives.length < 2}
    const window = {...target, document}
    const math = Object.create(Math, {random: {value: phone.random}})
    const console = {
      error: (...what) => told.push({event: 'console', what: what.map(String).join(' ')}),
      warn() {},
      log() {},
    }
    const storage = {kind: 'none'}
    const environment = {
      navigator: {storage},
      CompressionStream: class {},
      crypto: cryptoOf(phone.random),
      document,
    }
    Object.assign(environment, {globalThis: environment})
    const values = {
      globalThis: environment,
      window,
      document,
      navigator: environment.navigator,
      indexedDB: this.indexedDB(),
      crypto: environment.crypto,
      Date: PhoneDate,
      Math: math,
      fetch: (url, init) => this.fetch(url, init),
      setTimeout: (run, ms) => this.setTimer(run, ms ?? 0),
      clearTimeout: n => this.clearTimer(n),
      AbortSignal: {timeout: () => undefined},
      localStorage: undefined,
      caches: undefined,
      CompressionStream: environment.CompressionStream,
      Blob: FakeBlob,
      Response: FakeResponse,
      console,
      ...Object.fromEntries(IDB_NAMES.map(name => [name, idb[name]])),
    }
    this.window = window
    this.Date = PhoneDate
    return NAMES.map(name => values[name])
  }

  setTimer(run, ms) {
    return this.timers.push({run, due: now + ms, on: !this.dead}) - 1
  }
  clearTimer(n) {
    if (this.timers[n]) this.timers[n].on = false
  }

  fetch(url, init = {}) {
    if (this.dead) return new Promise(() => {})
    const id = ++requestCount
    this.phone.moves++
    const body = init.body ? Buffer.from(plain(init.body)).toString('base64') : ''
    told.push({
      event: 'request',
      id,
      phone: this.phone.name,
      tab: this.tab,
      method: init.method ?? 'GET',
      url,
      headers: init.headers ?? {},
      body,
    })
    return new Promise((resolve, reject) => {
      requests.set(id, {life: this, resolve, reject})
    })
  }

  // --- IndexedDB with faults

  indexedDB() {
    const life = this
    return {
      open(name, version) {
        if (life.dead) return new idb.IDBOpenDBRequest()
        const request = life.phone.factory.open(name, version)
        request.addEventListener('upgradeneeded', () => life.take(request.result))
        request.addEventListener('success', () => life.take(request.result))
        return request
      },
      deleteDatabase: name => life.phone.factory.deleteDatabase(name),
    }
  }

  take(db) {
    if (this.connections.has(db)) return
    this.connections.add(db)
    const begin = db.transaction.bind(db)
    db.transaction = (names, mode, options) => this.begin(db, begin, names, mode, options)
  }

  begin(db, begin, names, mode, options) {
    if (this.dead) throw new DOMException('the page is gone', 'InvalidStateError')
    const {phone} = this
    const fault = phone.fault && ++phone.transactions === phone.fault.at ? phone.fault.kind : ''
    if (fault) told.push({event: 'fault', kind: fault})
    if (fault === 'InvalidStateError') throw new DOMException('closing', 'InvalidStateError')
    const tx = begin(names, mode, options)
    this.open.add(tx)
    if (mode === 'readwrite') {
      phone.moves++
      this.writing++
    }
    if (mode === 'readwrite' && options?.durability !== 'strict') told.push({event: 'relaxed'})
    for (const end of ['complete', 'abort']) {
      tx.addEventListener(end, () => {
        this.open.delete(tx)
        if (mode !== 'readwrite') return
        phone.moves++
        this.writing--
      })
    }
    if (fault === 'close') {
      for (const one of this.connections) forceCloseDatabase(one)
      this.connections.clear()
      if (!tx.error) abort(tx, 'AbortError')
    } else if (fault) {
      // The requests succeed, and then the transaction does not.
      const store = tx.objectStore.bind(tx)
      tx.objectStore = name => {
        const found = store(name)
        queueMicrotask(() => tasks.push(() => abort(tx, fault)))
        return found
      }
    }
    return tx
  }

  die() {
    this.dead = true
    for (const tx of this.open) abort(tx, 'AbortError')
    for (const timer of this.timers) timer.on = false
    for (const db of this.connections) {
      try {
        db.close()
      } catch {
        /* closed already */
      }
    }
    for (const [id, one] of requests) if (one.life === this) requests.delete(id)
  }

  async drop() {
    /* nothing to wait for */
  }
}

function abort(tx, name) {
  try {
    if (tx._state === 'finished' || tx._state === 'committing') return
    tx._abort(name)
  } catch {
    /* it was over */
  }
}

/** Run what there is to run; every task is a point at which a phone may be cut off. */
async function drain(phone) {
  for (;;) {
    await new Promise(realTurn)
    if (tasks.length === 0) return
    if (phone && !phone.cut && isPoint(phone) && ++phone.points === phone.crashAt) cut(phone)
    const task = tasks.shift()
    task()
  }
}

/** Whether a phone killed here could differ from one killed at the point before: it is writing, or
 * has written or asked something since. */
function isPoint(phone) {
  const moved = phone.moves !== phone.seen
  phone.seen = phone.moves
  return moved || phone.lives.some(life => life.writing > 0)
}

function cut(phone) {
  phone.cut = true
  told.push({event: 'cut', phone: phone.name, point: phone.points})
  for (const life of phone.lives) life.die()
  phone.lives = []
}

// --- commands

const bytesOf = text => new Uint8Array(Buffer.from(text, 'base64')).buffer

const commands = {
  reset() {
    phones.clear()
    requests.clear()
    tasks.length = 0
    requestCount = 0
  },

  phone({phone, seed}) {
    phones.set(phone, new Phone(phone, seed))
  },

  /** A page is opened: the store, and the sync where somebody has enrolled. */
  async boot({phone: name, tab}) {
    const phone = phones.get(name)
    const life = new Life(phone, tab)
    phone.lives.push(life)
    const {openStore, localCanary} = life.code
    const canaries = phone.storages.map(one =>
      localCanary({
        getItem: key => one.getItem(key),
        setItem: (key, text) => {
          if (life.dead) return
          phone.moves++
          one.setItem(key, text)
        },
      }),
    )
    life.started = openStore({name: 'troskel', canaries, wait: async () => {}}).then(
      store => {
        life.store = store
        if (store.enrolled) startSync(life)
        return store
      },
      error => {
        told.push({event: 'unopened', what: String(error)})
      },
    )
    await drain(phone)
    return {enrolled: life.store?.enrolled ?? false, lost: life.store?.lost ?? null}
  },

  async sign_in({phone: name, tab, person}) {
    const phone = phones.get(name)
    const life = lifeOf(phone, tab)
    let done = false
    const run = async () => {
      await life.store.enrol()
      await life.store.signIn(person)
      if (!life.sync) startSync(life)
      else void life.sync.now()
      done = true
    }
    run().catch(error => told.push({event: 'refused', what: String(error)}))
    await drain(phone)
    return {done}
  },

  async sign_out({phone: name, tab}) {
    const phone = phones.get(name)
    lifeOf(phone, tab)
      .store.signOut()
      .catch(error => told.push({event: 'refused', what: String(error)}))
    await drain(phone)
  },

  /** Save taps, each in its tab, all begun at once. `saved` lists those that were said to be. */
  async tap({phone: name, taps}) {
    const phone = phones.get(name)
    const saved = []
    for (const {tab, drafts, blobs} of taps) {
      const life = lifeOf(phone, tab)
      if (!life?.store) continue
      const riding = blobs.map(one => ({...one, bytes: bytesOf(one.bytes)}))
      life.code.outbox.saveDrafts(life.store, drafts, riding, {now: new life.Date()}).then(
        ids => {
          if (!life.dead) saved.push(...ids.map(one => one.id))
        },
        error =>
          told.push({
            event: 'refused',
            what: error.code ?? String(error),
            ids: drafts.map(one => one.id),
          }),
      )
    }
    await drain(phone)
    return {saved}
  },

  /** Who is signed in hands over what waits for `by`. */
  async hand_over({phone: name, by}) {
    const phone = phones.get(name)
    const life = lifeOf(phone, 0)
    life.code.outbox
      .handOver(life.store, by)
      .catch(error => told.push({event: 'refused', what: error.code ?? String(error)}))
    await drain(phone)
  },

  /** Answer a request; `error` is the name of how it fails. */
  async answer({id, answer, error}) {
    const request = requests.get(id)
    if (!request) return {known: false}
    requests.delete(id)
    if (error) request.reject(new DOMException('the network is gone', error))
    else request.resolve(new Answer(answer))
    await drain(request.life.phone)
    return {known: true}
  },

  /** The earliest timer that runs; its time is the phone's new one. */
  async timer({phone: name}) {
    const phone = phones.get(name)
    const due = timersOf(phone)[0]
    if (!due) return {fired: false}
    due.on = false
    now = Math.max(now, due.due)
    due.run()
    await drain(phone)
    return {fired: true, now}
  },

  /** The network is back, or somebody taps "Send". */
  async wake({phone: name, tab}) {
    const phone = phones.get(name)
    const life = lifeOf(phone, tab)
    void life?.sync?.now()
    await drain(phone)
  },

  /** The battery is empty. */
  async cut({phone: name}) {
    const phone = phones.get(name)
    cut(phone)
    await drain(null)
  },

  clock({phone: name, skew, zone}) {
    Object.assign(phones.get(name), {skew, zone})
  },

  /** The browser empties its database, or puts back an older copy of it. */
  async storage({phone: name, what}) {
    const phone = phones.get(name)
    if (what === 'keep') phone.copy = await dump(phone.factory)
    else {
      phone.factory = new idb.IDBFactory()
      if (what === 'older' && phone.copy) await load(phone.factory, phone.copy)
    }
  },

  /** What the phone has and shows. */
  async look({phone: name}) {
    const phone = phones.get(name)
    const life = phone.lives.find(one => one.store)
    if (!life?.store?.enrolled)
      return {
        enrolled: false,
        lost: life?.store?.lost ?? null,
        outbox: [],
        receipts: [],
        unsent: [],
        visits: [],
        counts: null,
      }
    const {code, store} = life
    let found
    const run = async () => {
      const memory = await store.read()
      found = {
        enrolled: true,
        lost: store.lost,
        device: store.device.id,
        person: (await store.person())?.id ?? '',
        outbox: [...memory.outbox.values()].map(row => ({
          id: row.id,
          by: row.by,
          visit: row.visit,
          sha256: row.sha256,
          where: code.replay.whereIs(memory, row),
          whole: sha256(row.text).toString('hex') === row.sha256,
        })),
        receipts: [...memory.receipts.values()].map(({id, result, seq, problem}) => ({
          id,
          result,
          seq,
          problem,
        })),
        unsent: (await code.outbox.unsent(store)).map(({id, state, problem}) => ({
          id,
          state,
          problem,
        })),
        counts: await code.outbox.counts(store),
        visits: (await store.visits()).map(({id, record, state}) => ({id, record, state})),
        status: life.sync?.status() ?? null,
        gone: [...memory.visits.values()].map(one => [one.visit, one.gone]),
      }
    }
    run().catch(error => told.push({event: 'unread', what: String(error)}))
    await drain(phone)
    return found
  },
}

const lifeOf = (phone, tab) => phone.lives.find(one => one.tab === tab) ?? phone.lives[0]
const timersOf = phone =>
  phone.lives
    .flatMap(life => life.timers)
    .filter(one => one.on)
    .sort((a, b) => a.due - b.due)

function startSync(life) {
  const {phone} = life
  life.sync = life.code.startSync(life.store, {
    fetch: (url, init) => life.fetch(url, init),
    onChange: () => {},
    now: () => new life.Date(),
    random: phone.random,
    window: life.window,
    timer: {set: (run, ms) => life.setTimer(run, ms), clear: n => life.clearTimer(n)},
    locks: null,
    packs: null,
    health: async () => ({version: 'simulated', persisted: true, installed: true}),
  })
}

async function dump(factory) {
  const db = await opened(factory)
  const kept = {}
  for (const name of db.objectStoreNames)
    kept[name] = await answered(db.transaction([name]).objectStore(name).getAll())
  db.close()
  await drain(null)
  return {version: db.version, kept}
}

async function load(factory, {version, kept}) {
  const db = await opened(factory, version, fresh => {
    for (const name of Object.keys(kept)) fresh.createObjectStore(name, {keyPath: 'id'})
  })
  for (const [name, rows] of Object.entries(kept)) {
    const store = db.transaction([name], 'readwrite').objectStore(name)
    for (const row of rows) store.put(row)
  }
  await drain(null)
  db.close()
  await drain(null)
}

async function answered(request) {
  let result
  request.onsuccess = () => {
    result = request.result
  }
  await drain(null)
  return result
}

async function opened(factory, version, upgrade) {
  const request = factory.open('troskel', version)
  request.onupgradeneeded = () => upgrade?.(request.result)
  return answered(request)
}

process.on('unhandledRejection', () => {}) // a life that was cut off has nobody to tell

for await (const line of createInterface({input: process.stdin})) {
  const list = JSON.parse(line)
  const results = []
  for (const command of list) {
    if (command.now !== undefined) now = command.now
    told = []
    if (command.arm)
      Object.assign(phones.get(command.phone), {
        points: 0,
        crashAt: command.arm.crash,
        fault: command.arm.fault,
        transactions: 0,
        cut: false,
      })
    let result
    try {
      result = await commands[command.do](command)
    } catch (error) {
      result = {failed: String(error?.stack ?? error)}
    }
    const timers =
      command.phone && phones.has(command.phone) ? timersOf(phones.get(command.phone)).length : 0
    results.push({
      ...result,
      told,
      timers,
      points: command.phone ? (phones.get(command.phone)?.points ?? 0) : 0,
    })
  }
  process.stdout.write(`${JSON.stringify(results)}\n`)
}
