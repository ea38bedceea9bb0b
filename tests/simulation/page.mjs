// One page of the field app on a simulated phone, from opening to its end: the shipped code with a
// browser of its own, whose database can fail and which can be killed at any task.

import {cryptoOf, FakeBlob, FakeResponse, plain} from './fake_browser.mjs'
import {IDB_NAMES, makeCode, NAMES} from './phone_code.mjs'
import {idb, queueTask, report, run} from './turns.mjs'

const {forceCloseDatabase} = idb

export class Page {
  dead = false
  writing = 0 // open transactions that may change something
  connections = new Set()
  open = new Set()
  timers = []
  store = null
  sync = null

  constructor(phone, tab) {
    this.phone = phone
    this.tab = tab
    this.code = makeCode(...this.environment())
  }

  environment() {
    const {phone} = this
    const target = {addEventListener() {}, removeEventListener() {}}
    // Two pages of one browser: neither can be sure that nobody signed in elsewhere.
    const document = {...target, visibilityState: 'visible', hasFocus: () => phone.pages.length < 2}
    this.window = {...target, document}
    this.Date = dateOf(phone)
    const environment = {
      navigator: {storage: {kind: 'none'}},
      CompressionStream: class {},
      crypto: cryptoOf(phone.random),
      document,
    }
    Object.assign(environment, {globalThis: environment})
    const values = {
      ...environment,
      window: this.window,
      indexedDB: this.indexedDB(),
      Date: this.Date,
      Math: Object.create(Math, {random: {value: phone.random}}),
      fetch: (url, init) => this.fetch(url, init),
      setTimeout: (work, ms) => this.setTimer(work, ms ?? 0),
      clearTimeout: n => this.clearTimer(n),
      AbortSignal: {timeout: () => undefined},
      localStorage: undefined,
      caches: undefined,
      Blob: FakeBlob,
      Response: FakeResponse,
      console: {
        error: (...what) => report({event: 'console', what: what.map(String).join(' ')}),
        warn() {},
        log() {},
      },
      ...Object.fromEntries(IDB_NAMES.map(name => [name, idb[name]])),
    }
    return NAMES.map(name => values[name])
  }

  setTimer(work, ms) {
    return this.timers.push({run: work, due: run.now + ms, on: !this.dead}) - 1
  }
  clearTimer(n) {
    if (this.timers[n]) this.timers[n].on = false
  }

  fetch(url, init = {}) {
    if (this.dead) return new Promise(() => {})
    const id = ++run.requestCount
    this.phone.changes++
    report({
      event: 'request',
      id,
      phone: this.phone.name,
      tab: this.tab,
      method: init.method ?? 'GET',
      url,
      headers: init.headers ?? {},
      body: init.body ? Buffer.from(plain(init.body)).toString('base64') : '',
    })
    return new Promise((resolve, reject) => {
      run.requests.set(id, {page: this, resolve, reject})
    })
  }

  /** Start the shipped sync with this page's network, clock and timers. */
  startSync() {
    const {phone} = this
    this.sync = this.code.startSync(this.store, {
      fetch: (url, init) => this.fetch(url, init),
      onChange: () => {},
      now: () => new this.Date(),
      random: phone.random,
      window: this.window,
      timer: {set: (work, ms) => this.setTimer(work, ms), clear: n => this.clearTimer(n)},
      locks: null,
      packs: null,
      health: async () => ({version: 'simulated', persisted: true, installed: true}),
    })
  }

  // --- IndexedDB with faults

  indexedDB() {
    const page = this
    return {
      open(name, version) {
        if (page.dead) return new idb.IDBOpenDBRequest()
        const request = page.phone.factory.open(name, version)
        request.addEventListener('upgradeneeded', () => page.watch(request.result))
        request.addEventListener('success', () => page.watch(request.result))
        return request
      },
      deleteDatabase: name => page.phone.factory.deleteDatabase(name),
    }
  }

  watch(db) {
    if (this.connections.has(db)) return
    this.connections.add(db)
    const begin = db.transaction.bind(db)
    db.transaction = (names, mode, options) => this.begin(begin, names, mode, options)
  }

  begin(begin, names, mode, options) {
    if (this.dead) throw new DOMException('the page is gone', 'InvalidStateError')
    const fault = this.phone.nextFault()
    if (fault) report({event: 'fault', kind: fault})
    if (fault === 'InvalidStateError') throw new DOMException('closing', 'InvalidStateError')
    const tx = begin(names, mode, options)
    this.open.add(tx)
    if (mode === 'readwrite') {
      this.phone.changes++
      this.writing++
      if (options?.durability !== 'strict') report({event: 'relaxed'})
    }
    for (const end of ['complete', 'abort']) tx.addEventListener(end, () => this.ended(tx, mode))
    if (fault === 'close') this.closeConnections(tx)
    else if (fault) failAtTheEnd(tx, fault)
    return tx
  }

  ended(tx, mode) {
    this.open.delete(tx)
    if (mode !== 'readwrite') return
    this.phone.changes++
    this.writing--
  }

  closeConnections(tx) {
    for (const one of this.connections) forceCloseDatabase(one)
    this.connections.clear()
    if (!tx.error) abort(tx, 'AbortError')
  }

  /** The page's process ends: open transactions are aborted, timers and requests are gone. */
  kill() {
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
    for (const [id, one] of run.requests) if (one.page === this) run.requests.delete(id)
  }
}

/** The Date of a phone whose clock and time zone are wrong by as much as its step says. */
function dateOf(phone) {
  return class PhoneDate extends Date {
    constructor(...given) {
      super(...(given.length ? given : [PhoneDate.now()]))
    }
    static now() {
      return run.now + phone.skew
    }
    getTimezoneOffset() {
      return phone.zone
    }
  }
}

/** The requests of `tx` succeed, and then the transaction does not. */
function failAtTheEnd(tx, fault) {
  const store = tx.objectStore.bind(tx)
  tx.objectStore = name => {
    const found = store(name)
    queueMicrotask(() => queueTask(() => abort(tx, fault)))
    return found
  }
}

function abort(tx, name) {
  try {
    if (tx._state === 'finished' || tx._state === 'committing') return
    tx._abort(name)
  } catch {
    /* it had ended */
  }
}
