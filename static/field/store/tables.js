// Reads and writes of one database. Invariant (I1): a change is one strict transaction, reported as
// done only after `complete`; two tabs that write at once take turns, because each write states the
// number of the write it has seen. Reads come from a copy in memory, which is used only while the
// database says that nobody has written since. Blobs are not part of the copy: they are too large.

import {begin} from './database.js'
import {rowOf, STORES, valueOfRow} from './rows.js'

/** @import {Change, Memory} from '../record/shapes.d.ts' */

const RACES_MAX = 100

export class Tables {
  /** A write needed the space that was held back for it: there is hardly any left. */
  tight = false
  #database
  #ballast
  #onWritten
  #memory = null
  #reading = null
  #turn = Promise.resolve()

  /** @param {import('./database.js').Database} database @param {import('./ballast.js').Ballast} ballast
   * @param {() => void} onWritten called after each write */
  constructor(database, ballast, onWritten) {
    this.#database = database
    this.#ballast = ballast
    this.#onWritten = onWritten
  }

  /** Everything but the blobs' bytes, true at this moment. @returns {Promise<Memory>} */
  read() {
    // Calls made in one tick share one read. It starts only after the last of them, so that nobody
    // gets what was true before their call.
    this.#reading ??= Promise.resolve().then(() => {
      this.#reading = null
      return this.#current()
    })
    return this.#reading
  }

  async #current() {
    const change = (await this.#get('meta', 'change')).value
    if (this.#memory?.change !== change) this.#memory = await this.#load()
    return this.#memory
  }

  async #load() {
    const [metaRows, outboxRows, receiptRows, visitRows, keys] = await this.#database.run(db => {
      const tx = begin(db, STORES, 'readonly')
      return Promise.all([
        ...STORES.map(async name =>
          name === 'blobs' ? tx.objectStore(name).getAllKeys() : tx.objectStore(name).getAll(),
        ),
        tx.done,
      ])
    })
    const mapOf = async (name, rows) =>
      new Map((await Promise.all(rows.map(row => valueOfRow(name, row)))).map(one => [one.id, one]))
    const [meta, outbox, receipts, visits] = await Promise.all([
      mapOf(
        'meta',
        metaRows.filter(row => row.id !== 'change'),
      ),
      mapOf('outbox', outboxRows),
      mapOf('receipts', receiptRows),
      mapOf('visits', visitRows),
    ])
    return {
      change: metaRows.find(row => row.id === 'change').value,
      meta,
      outbox,
      receipts,
      visits,
      blobs: new Set(keys),
    }
  }

  /** What the database itself holds, past the memory. @param {string} store @param {string} id @returns {Promise<any|null>} */
  async readBack(store, id) {
    const row = await this.#get(store, id)
    return row ? valueOfRow(store, row) : null
  }

  #get(store, id) {
    return this.#database.run(db => begin(db, [store], 'readonly').objectStore(store).get(id))
  }

  /**
   * Change the database: `compute` says how, from what is there; it is called again when another
   * tab was faster. All of it in one strict transaction, or none.
   * @param {(memory: Memory) => Change[]|Promise<Change[]>} compute may be called more than once; must not write
   * @throws {Error} what IndexedDB said, after trying again
   */
  update(compute) {
    const run = this.#turn.then(() => this.#update(compute))
    this.#turn = run.catch(() => {})
    return run
  }

  async #update(compute) {
    for (let race = 0; race < RACES_MAX; race++) {
      const memory = await this.read()
      const {change} = memory
      const changes = await compute(memory)
      if (changes.length === 0) return
      // Everything that takes time before the transaction: it would close by itself meanwhile.
      const rows = await Promise.all(
        changes.map(one => (one.put ? rowOf(one.put, one.value) : null)),
      )
      if (await this.#written(changes, rows, change)) {
        this.#remember(changes, change)
        this.#onWritten()
        return
      }
    }
    throw new DOMException('other tabs write all the time', 'AbortError')
  }

  async #written(changes, rows, change) {
    try {
      return await this.#database.run(db => commit(db, changes, rows, change))
    } catch (error) {
      // Words and consents get the space held back for them; pictures do not.
      const isPicture = changes.some(
        one => one.put === 'blobs' && one.value.type !== 'image/svg+xml',
      )
      if (error?.name !== 'QuotaExceededError' || isPicture || !(await this.#ballast.drop()))
        throw error
      this.tight = true
      return this.#database.run(db => commit(db, changes, rows, change))
    }
  }

  #remember(changes, change) {
    const memory = this.#memory
    if (memory?.change !== change) return
    for (const {put, value, drop, id} of changes) {
      if (drop) memory[drop].delete(id)
      else if (put === 'blobs') memory.blobs.add(value.id)
      else memory[put].set(value.id, value)
    }
    memory.change = change + 1
  }
}

/** One transaction. @returns {Promise<boolean>} false where another tab has written since `change` */
async function commit(db, changes, rows, change) {
  const names = new Set(['meta', ...changes.map(one => one.put ?? one.drop)])
  const tx = begin(db, [...names], 'readwrite')
  const before = await tx.objectStore('meta').get('change')
  if (before.value !== change) {
    tx.abort()
    return false
  }
  await Promise.all([
    ...changes.map((one, i) => apply(tx, one, rows[i])),
    apply(tx, {put: 'meta'}, {id: 'change', value: change + 1}),
    tx.done, // a request that succeeded is not a commit: iOS aborts in between
  ])
  return true
}

// async: a request that throws at once must reject like any other, or the failures of the others
// would go unhandled.
async function apply(tx, {put, drop, id}, row) {
  if (drop) return tx.objectStore(drop).delete(id)
  // add() fails where put() would write over: bytes in the outbox are fixed.
  return put === 'outbox' ? tx.objectStore(put).add(row) : tx.objectStore(put).put(row)
}
