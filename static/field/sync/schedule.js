// When the phone talks to the server. Invariant (I8): whatever fails is tried again without anybody
// asking, with growing pauses, and a tap on "Send" always tries at once. Rounds run one at a time.
// Two tabs take turns where the browser has locks, but nothing depends on it: the server answers a
// second sending as it answered the first.

import * as browser from '../browser.js'
import * as guidePacks from '../guide/packs.js'
import {Rounds} from './round.js'

const SAVE_PAUSE_MS = 1_000
const CALM_MS = 60_000
const SIGNED_OUT_MS = 300_000
const RETRY_MS = 5_000
const RETRY_MAX_MS = 300_000
const LOCK_WAIT_MS = 5_000

/** @typedef {import('../store/store.js').Store} Store */
/** @typedef {import('./round.js').Status} Status */
/** @typedef {{set: (run: () => void, ms: number) => any, clear: (timer: any) => void}} Timer */
/**
 * @typedef {{now: () => Promise<void>, status: () => Status, stop: () => void}} Sync
 *   `now` resolves when a round that began after the call has ended, well or not
 */
/**
 * @typedef {object} Options all but the first two are for tests
 * @property {typeof globalThis.fetch} fetch
 * @property {() => void} [onChange] the store has other data than before
 * @property {() => Date} [now]
 * @property {() => number} [random]
 * @property {Timer} [timer]
 * @property {any} [window]
 * @property {LockManager|null} [locks]
 * @property {() => Promise<object>} [health]
 * @property {import('./prefetch.js').Packs|null} [packs]
 */

/**
 * Keep a store and the server in step until `stop()`.
 * @param {Store} store
 * @param {Options} options
 * @returns {Sync}
 */
export function startSync(
  store,
  {
    fetch,
    onChange = () => {},
    now = () => new Date(),
    random = Math.random,
    window = globalThis,
    timer = {set: (run, ms) => setTimeout(run, ms), clear: handle => clearTimeout(handle)},
    locks = globalThis.navigator?.locks ?? null,
    health = browser.report,
    packs = globalThis.caches ? guidePacks : null,
  },
) {
  const rounds = new Rounds(store, {fetch, health, now, window, packs})
  const schedule = new Schedule(store, rounds, {onChange, random, timer, locks})
  const stopListening = listen(store, window, schedule)
  if (store.enrolled) void browser.askToPersist()
  void schedule.sync(true)
  return {
    now() {
      rounds.forgetSession()
      return schedule.sync(true)
    },
    status: () => ({...rounds.status}),
    stop() {
      schedule.stop()
      stopListening()
    },
  }
}

/**
 * What makes a round begin before its time.
 * @param {Store} store @param {any} window @param {Schedule} schedule
 * @returns {() => void} stops listening
 */
function listen(store, window, schedule) {
  const wake = () => {
    schedule.rounds.forgetSession()
    if (window.document?.visibilityState !== 'hidden') void schedule.sync(true)
  }
  const forget = () => schedule.rounds.forgetSession()
  /** @type {Array<[EventTarget|undefined, string, () => void]>} */
  const events = [
    [window, 'online', wake],
    [window, 'pageshow', wake],
    [window.document, 'visibilitychange', wake],
    [window, 'blur', forget],
  ]
  for (const [target, name, listener] of events) target?.addEventListener?.(name, listener)
  const stopSaves = store.onSave(() => schedule.syncSoon())
  return () => {
    stopSaves()
    for (const [target, name, listener] of events) target?.removeEventListener?.(name, listener)
  }
}

class Schedule {
  #store
  #options
  #failures = 0
  /** @type {any} the timer of the next round */
  #waiting = null
  /** @type {any} the timer of a round after a save */
  #soon = null
  /** @type {Promise<void>|null} */
  #current = null
  /** @type {{again: boolean, done: Promise<void>}|null} */
  #next = null
  #stopped = false

  /**
   * @param {Store} store @param {Rounds} rounds
   * @param {{onChange: () => void, random: () => number, timer: Timer,
   *   locks: LockManager|null}} options
   */
  constructor(store, rounds, options) {
    this.#store = store
    this.rounds = rounds
    this.#options = options
  }

  /**
   * A round now; during one, the next, which all callers in the meantime share.
   * @param {boolean} again also offer what the server holds or refused @returns {Promise<void>}
   */
  sync(again) {
    if (!this.#current) return this.#start(again)
    const next = this.#next ?? {again: false, done: Promise.resolve()}
    if (!this.#next) {
      this.#next = next
      next.done = this.#current.then(() => {
        this.#next = null
        return this.#start(next.again)
      })
    }
    next.again ||= again
    return next.done
  }

  /** A round a second from now. Taps come in bursts: what follows within the second goes along. */
  syncSoon() {
    // After a failure the pause is kept, or every tap in a cellar would be a request.
    if (this.#soon !== null || this.#failures > 0 || this.#stopped) return
    this.#soon = this.#options.timer.set(() => {
      this.#soon = null
      void this.sync(false)
    }, SAVE_PAUSE_MS)
  }

  stop() {
    this.#stopped = true
    this.#options.timer.clear(this.#waiting)
    this.#options.timer.clear(this.#soon)
  }

  /** @param {boolean} again @returns {Promise<void>} */
  #start(again) {
    if (this.#stopped) return Promise.resolve()
    this.#options.timer.clear(this.#waiting)
    this.#waiting = null
    this.#current = this.#run(again).finally(() => {
      this.#current = null
      if (!this.#next) this.#startLater()
    })
    return this.#current
  }

  #startLater() {
    if (this.#stopped) return
    const {timer, random} = this.#options
    const calm = this.rounds.status.needs_sign_in ? SIGNED_OUT_MS : CALM_MS
    const pause =
      this.#failures > 0 ? Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (this.#failures - 1)) : calm
    timer.clear(this.#waiting)
    // Spread, so that phones that lost the network together do not come back together.
    this.#waiting = timer.set(() => void this.sync(true), pause * (0.5 + random()))
  }

  /** @param {boolean} again */
  async #run(again) {
    const {status} = this.rounds
    status.running = true
    const before = await this.#visibleState()
    try {
      await takeTurns(this.#options.locks, () => this.rounds.run(again))
      this.#failures = 0
    } catch (error) {
      this.rounds.fail(error)
      this.#failures = status.needs_sign_in ? 0 : this.#failures + 1
    }
    status.running = false
    if (!this.#stopped && (await this.#visibleState()) !== before) this.#options.onChange()
  }

  /**
   * Everything a page may show of all this, to compare. The cursor is not part of it.
   * @returns {Promise<string>}
   */
  async #visibleState() {
    const {online, needs_sign_in: needs, problem} = this.rounds.status
    const memory = this.#store.enrolled ? await this.#store.read().catch(() => null) : null
    const visits = [...(memory?.visits.values() ?? [])].map(one => [one.id, one.seq, one.gone])
    const receipts = [...(memory?.receipts.values() ?? [])].map(one => [
      one.id,
      one.result,
      one.problem,
      one.comment,
    ])
    const facts = ['people', 'guide', 'server_day', 'languages', 'person'].map(
      id => memory?.meta.get(id)?.value,
    )
    return JSON.stringify([online, needs, problem, visits, receipts, facts])
  }
}

/**
 * Run `work` while no other tab of this phone runs its own; after LOCK_WAIT_MS run it all the same.
 * @param {LockManager|null} locks @param {() => Promise<void>} work @returns {Promise<void>}
 */
async function takeTurns(locks, work) {
  if (!locks) return work()
  let began = false
  try {
    return await locks.request('troskel-sync', {signal: AbortSignal.timeout(LOCK_WAIT_MS)}, () => {
      began = true
      return work()
    })
  } catch (error) {
    if (began) throw error
    return work() // the other tab may be frozen for good
  }
}
