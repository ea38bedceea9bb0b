// One IndexedDB database: the only file that touches IndexedDB. Invariant (I1): a connection that
// was cut is opened again and the work repeated, and so is one that stops answering (Chromium does
// so on connections it has lost to a damaged neighbour); an upgrade only ever adds. A database is
// created only with its first rows given: an empty one in place of a full one is a loss, and
// store.js reports it as one. None is ever deleted.

import {openDB} from 'idb'
import {STORES} from './rows.js'

/** @import {StoreName} from '../record/shapes.d.ts' */

/** @typedef {import('idb').IDBPDatabase<any>} Connection */

const VERSION = 1
const WAITS_MS = [50, 250, 1000]
/** How long a database may take for one thing; the slowest phone's largest save takes less. */
export const PATIENCE_MS = 8000
const CONNECTION_ERRORS = new Set([
  'InvalidStateError',
  'UnknownError',
  'AbortError',
  'TransactionInactiveError',
])
// Errors of a database that is intact and does not open for another reason.
const HEALTHY_ERRORS = new Set(['VersionError', 'SecurityError', 'QuotaExceededError'])

/** There is no database of that name. `wiped`: the browser reports that it deleted one. */
export class StoreMissing extends Error {
  name = 'StoreMissing'
  wiped = false
}

/** Whether `error` means that a database is there and cannot be read. @param {any} error */
export const isUnopenable = error =>
  !(error instanceof StoreMissing) && !HEALTHY_ERRORS.has(error?.name)

/** The name of a phone's `n`th database; a second one is made when the first does not open.
 * @param {string} base @param {number} n from 1 */
export const databaseName = (base, n) => (n === 1 ? base : `${base}-${n}`)

/**
 * The numbers of a phone's databases that the browser lists, the newest first; it may leave out one
 * that does not open.
 * @param {string} base @param {number} [patience] milliseconds @returns {Promise<number[]>}
 */
export async function databaseNumbers(base, patience = Infinity) {
  try {
    const listed = await withTimeout(indexedDB.databases(), patience)
    const names = listed.map(one => one.name ?? '')
    const numbers = names.map(name =>
      name === base ? 1 : name.startsWith(`${base}-`) ? Number(name.slice(base.length + 1)) : 0,
    )
    return numbers.filter(n => n > 0).sort((a, b) => b - a)
  } catch {
    return [] // an old browser, or storage that fails: opening it will show
  }
}

export class Database {
  #name
  #wait
  #patience
  /** @type {Promise<Connection>|null} */
  #handle = null
  /** @type {any[]|null} the first rows of a database that may be made now; null: none may */
  #first = null

  /** @param {string} name @param {(ms: number) => Promise<void>} wait
   * @param {number} [patience] milliseconds of silence after which a connection counts as cut */
  constructor(name, wait, patience = Infinity) {
    this.#name = name
    this.#wait = wait
    this.#patience = patience
  }

  /**
   * Make the database with these rows of `meta`; one that is there stays as it is.
   * @param {any[]} rows
   */
  async create(rows) {
    this.close()
    this.#first = rows
    try {
      await this.run(() => {})
    } finally {
      this.#first = null
    }
  }

  /**
   * Run `work` on a connection; iOS cuts it off at will, so a cut one is opened again and `work`
   * repeated.
   * @template T @param {(db: Connection) => T|Promise<T>} work @returns {Promise<T>}
   */
  async run(work) {
    for (let n = 0; ; n++) {
      try {
        this.#handle ??= this.#connect()
        return await withTimeout(this.#handle.then(work), this.#patience)
      } catch (error) {
        this.close()
        const cut =
          CONNECTION_ERRORS.has(error?.name) || /closing|connection/i.test(error?.message ?? '')
        if (!cut || n === WAITS_MS.length) throw error
        await this.#wait(WAITS_MS[n])
      }
    }
  }

  /** Let go of the connection. What is running on it ends by itself; close() lets it. */
  close() {
    this.#handle?.then(db => db.close()).catch(() => {})
    this.#handle = null
  }

  /** @returns {Promise<Connection>} */
  async #connect() {
    const first = this.#first
    /** @type {StoreMissing|null} */
    let missing = null
    const closeIt = () => this.close()
    try {
      return await openDB(this.#name, VERSION, {
        upgrade(db, oldVersion, newVersion, tx, event) {
          tx.done.catch(() => {})
          if (oldVersion === 0 && !first) {
            missing = new StoreMissing('there is no database on this phone')
            missing.wiped = /** @type {any} */ (event).dataLoss === 'total'
            tx.abort() // or the browser would have made an empty one
            return
          }
          // Only ever adds: an outbox is never dropped, renamed or keyed anew.
          for (const name of STORES) {
            if (!db.objectStoreNames.contains(name)) db.createObjectStore(name, {keyPath: 'id'})
          }
          if (oldVersion === 0) {
            const meta = tx.objectStore('meta')
            for (const row of [...(first ?? []), {id: 'change', value: 0}])
              meta.put(row).catch(() => {})
          }
        },
        blocking: closeIt,
        terminated: closeIt,
      })
    } catch (error) {
      throw missing ?? error
    }
  }
}

/**
 * `promise`, or an AbortError where it does not settle within `ms`.
 * @template T @param {Promise<T>} promise @param {number} ms @returns {Promise<T>}
 */
export async function withTimeout(promise, ms) {
  if (ms === Infinity) return promise
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer
  /** @type {Promise<never>} */
  const silence = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new DOMException('the database does not answer', 'AbortError')),
      ms,
    )
  })
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * A strict transaction. Its failure reaches the caller through its requests and `done`, and never
 * as an unhandled rejection.
 * @template {'readonly'|'readwrite'} Mode
 * @param {Connection} db @param {StoreName[]} names @param {Mode} mode
 */
export function begin(db, names, mode) {
  const tx = db.transaction(names, mode, {durability: 'strict'})
  tx.done.catch(() => {})
  return tx
}
