// What the phone remembers of its own storage, in two places outside it: a browser may empty or
// roll back IndexedDB without telling anybody (docs/browsers.md 1.1). Invariant: a canary is written
// after the commit it describes, so it never claims more than was saved. It holds no content, and a
// place that cannot be written is passed over: a canary must not stop a save.

/** @import {Loss} from '../record/shapes.d.ts' */

/**
 * @typedef {{device: string, device_seq: number, unsent: number, database?: number}} Mark
 *   `database`: its number (database.js)
 */
/** @typedef {{read(): Promise<Mark|null>, write(mark: Mark): Promise<void>}} Canary */

const KEY = 'troskel-canary'
const URL_OF_MARK = '/canary'

/** @param {any} mark */
const isMark = mark =>
  typeof mark?.device === 'string' &&
  Number.isInteger(mark.device_seq) &&
  Number.isInteger(mark.unsent)
/** @param {string} text @returns {Mark|null} */
const parse = text => {
  const mark = JSON.parse(text)
  return isMark(mark) ? mark : null
}

/** @param {Storage} storage usually localStorage @returns {Canary} */
export const localCanary = storage => ({
  async read() {
    return parse(storage.getItem(KEY) ?? 'null')
  },
  async write(mark) {
    storage.setItem(KEY, JSON.stringify(mark))
  },
})

/** @param {CacheStorage} caches @returns {Canary} */
export const cacheCanary = caches => ({
  async read() {
    const kept = await caches.match(URL_OF_MARK, {cacheName: KEY})
    return kept ? parse(await kept.text()) : null
  },
  async write(mark) {
    await (await caches.open(KEY)).put(URL_OF_MARK, new Response(JSON.stringify(mark)))
  },
})

/** The canaries this browser has. @returns {Canary[]} */
export function browserCanaries() {
  /** @type {Canary[]} */
  const made = []
  // Reading the property itself throws where the user has blocked storage.
  try {
    if (globalThis.localStorage) made.push(localCanary(globalThis.localStorage))
  } catch {
    /* none */
  }
  try {
    if (globalThis.caches) made.push(cacheCanary(globalThis.caches))
  } catch {
    /* none */
  }
  return made
}

/**
 * What the canaries hold; those that cannot be read are left out.
 * @param {Canary[]} canaries @returns {Promise<Mark[]>}
 */
export async function readMarks(canaries) {
  const marks = await Promise.all(canaries.map(canary => canary.read().catch(() => null)))
  return marks.filter(mark => mark !== null)
}

/** @param {Canary[]} canaries @param {Mark} mark @returns {Promise<void>} */
async function writeMarks(canaries, mark) {
  await Promise.all(canaries.map(canary => canary.write(mark).catch(() => {})))
}

/**
 * Writes the canaries, one write at a time: a call during a write makes one more after it, so that
 * the newest mark is the last one written.
 */
export class CanaryWriter {
  #canaries
  #mark
  /** @type {{again: boolean, done: Promise<void>}|null} */
  #running = null

  /**
   * @param {Canary[]} canaries
   * @param {() => Promise<Mark>} mark what to write, computed anew each time
   */
  constructor(canaries, mark) {
    this.#canaries = canaries
    this.#mark = mark
  }

  /** @returns {Promise<void>} when the canaries are up to date; it never rejects */
  write() {
    if (this.#running) {
      this.#running.again = true
      return this.#running.done
    }
    const turn = {again: false, done: Promise.resolve()}
    this.#running = turn
    turn.done = this.#mark()
      .then(mark => writeMarks(this.#canaries, mark))
      .catch(() => {})
      .then(() => {
        this.#running = null
        return turn.again ? this.write() : undefined
      })
    return turn.done
  }
}

/**
 * What was lost: the database compared with what the canaries remember.
 * @param {{id: string, device_seq: number}|null} device the database's own; null: there is none
 * @param {Mark[]} marks
 * @returns {Loss|null}
 */
export function detectLoss(device, marks) {
  if (marks.length === 0) return null
  // An empty or lagging canary is no loss: only one that knows more than the database is.
  const ahead = marks.filter(
    mark => !device || mark.device !== device.id || mark.device_seq > device.device_seq,
  )
  if (ahead.length === 0) return null
  const top = ahead.reduce((one, other) => (other.device_seq > one.device_seq ? other : one))
  const reason = !device ? 'emptied' : top.device === device.id ? 'rolled_back' : 'other'
  return {reason, device: top.device, device_seq: top.device_seq, unsent: top.unsent}
}
