// A simulated phone: its storage, its clock, and the pages open on it. `drain` runs its tasks and
// kills it at the point that the command chose.

import {chance, MemoryStorage} from './fake_browser.mjs'
import {idb, nextTask, report, run, runAll} from './turns.mjs'

export class Phone {
  factory = new idb.IDBFactory()
  storages = [new MemoryStorage(), new MemoryStorage()] // of the two canaries
  skew = 0 // milliseconds that its clock is ahead
  zone = 0
  pages = []
  fault = null // {kind, at}: how the `at`th transaction of this command fails
  transactions = 0
  points = 0
  crashAt = 0
  changes = 0 // writes begun and ended, requests, marks in other storages
  seen = 0

  constructor(name, seed) {
    this.name = name
    this.random = chance(seed)
  }

  /** How the transaction that begins now fails; '' when it does not. */
  nextFault() {
    return this.fault && ++this.transactions === this.fault.at ? this.fault.kind : ''
  }

  /** Choose the crash and the fault of the next command. */
  arm({crash, fault}) {
    Object.assign(this, {points: 0, crashAt: crash, fault, transactions: 0, cut: false})
  }

  /** Run what there is to run; every task is a point at which the phone may be killed. */
  async drain() {
    for (let task = await nextTask(); task; task = await nextTask()) {
      if (!this.cut && this.isPoint() && ++this.points === this.crashAt) this.kill()
      task()
    }
  }

  /** Whether a phone killed here could differ from one killed at the point before: it is writing, or
   * has written or requested something since. */
  isPoint() {
    const changed = this.changes !== this.seen
    this.seen = this.changes
    return changed || this.pages.some(page => page.writing > 0)
  }

  kill() {
    this.cut = true
    report({event: 'cut', phone: this.name, point: this.points})
    for (const page of this.pages) page.kill()
    this.pages = []
  }

  /** The page in this tab, or the first there is. */
  page(tab) {
    return this.pages.find(one => one.tab === tab) ?? this.pages[0]
  }

  /** Timers that run, the earliest first. */
  timers() {
    return this.pages
      .flatMap(page => page.timers)
      .filter(one => one.on)
      .sort((a, b) => a.due - b.due)
  }

  /** Remember the whole database, as a backup of the telephone does. */
  async copyStorage() {
    const db = await opened(this.factory)
    const stores = {}
    for (const name of db.objectStoreNames)
      stores[name] = await resultOf(db.transaction([name]).objectStore(name).getAll())
    db.close()
    await runAll()
    this.copy = {version: db.version, stores}
  }

  /** The browser deletes the database. */
  emptyStorage() {
    this.factory = new idb.IDBFactory()
  }

  /** The database becomes what it was at `copyStorage`; empty where there was none. */
  async restoreStorage() {
    this.emptyStorage()
    if (!this.copy) return
    const {version, stores} = this.copy
    const db = await opened(this.factory, version, fresh => {
      for (const name of Object.keys(stores)) fresh.createObjectStore(name, {keyPath: 'id'})
    })
    for (const [name, rows] of Object.entries(stores)) {
      const store = db.transaction([name], 'readwrite').objectStore(name)
      for (const row of rows) store.put(row)
    }
    await runAll()
    db.close()
    await runAll()
  }
}

async function resultOf(request) {
  let result
  request.onsuccess = () => {
    result = request.result
  }
  await runAll()
  return result
}

async function opened(factory, version, upgrade) {
  const request = factory.open('troskel', version)
  request.onupgradeneeded = () => upgrade?.(request.result)
  return resultOf(request)
}

/** Move the clock forward to `due`, never back. */
export const passTime = due => {
  run.now = Math.max(run.now, due)
}
