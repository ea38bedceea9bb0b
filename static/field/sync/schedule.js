// When the phone speaks with the server, and what it says of that. No page, no words: state codes
// only. Invariant (I8): whatever fails is tried again by itself, with growing pauses, and a tap on
// "Send" always tries at once; a session that ended clears nothing. Rounds go one at a time. Two
// tabs take turns where the browser lets them, but nothing depends on it: the server's answer to a
// second sending is the first one's.

import * as device from '../browser.js'
import * as guidePacks from '../guide/packs.js'
import {keepRecordings} from '../guide/recordings.js'
import {hasReport} from './health.js'
import {chosenLanguage} from '../i18n.js'
import {pullAll} from './pull.js'
import {removals, blobsToVerify, unconfirmedBlobs} from './retention.js'
import {pushAll, verifyBlobs} from './push.js'
import {personOf} from '../record/replay.js'
import {NotSent, transport} from './transport.js'

const SAVE_PAUSE_MS = 1_000
const CALM_MS = 60_000
const SIGNED_OUT_MS = 300_000
const RETRY_MS = 5_000
const RETRY_MAX_MS = 300_000
const LOCK_WAIT_MS = 5_000
const GREET_MS = 6 * 3_600_000

/** @typedef {{running: boolean, online: 'unknown'|'yes'|'no', needs_sign_in: boolean, last_ok_at: string, problem: string}} Status
 *   `problem`: "", or why the last round did not end well; `last_ok_at` ISO 8601, "" before the first */

/**
 * Keep a store and the server in step until `stop()`.
 * @param {import('../store/store.js').Store} store
 * @param {{fetch: typeof globalThis.fetch, onChange?: () => void, now?: () => Date, random?: () => number,
 *   timer?: {set: (run: () => void, ms: number) => any, clear: (timer: any) => void}, window?: any, locks?: LockManager|null,
 *   health?: () => Promise<object>, packs?: {fetchAhead: Function, dropOtherPacks: Function, requestedLanguages: Function}|null}} options the rest is for tests
 * @returns {{now: () => Promise<void>, status: () => Status, stop: () => void}}
 *   `now` resolves when a round that began after the call has ended, well or not
 */
export function startSync(store, {
  fetch, onChange = () => {}, now = () => new Date(), random = Math.random, window = globalThis,
  timer = {set: (run, ms) => setTimeout(run, ms), clear: handle => clearTimeout(handle)},
  locks = globalThis.navigator?.locks ?? null, health = device.report, packs = globalThis.caches ? guidePacks : null,
}) {
  const wire = transport(fetch)
  const status = {running: false, online: 'unknown', needs_sign_in: false, last_ok_at: '', problem: ''}
  let session = null // the person at the server, as long as nobody can have changed that
  let failures = 0
  let greetedAt = 0
  let waiting = null
  let current = null
  let next = null
  let stopped = false

  // --- one round

  async function round(again) {
    const person = store.enrolled ? personOf(await store.read()) : null
    if (!person) {
      Object.assign(status, {needs_sign_in: false, problem: ''})
      return
    }
    const signedIn = await whoIsSignedIn()
    const greet = now().getTime() - greetedAt > GREET_MS || hasReport(await store.read())
    const options = {again, greet, health, now}
    let {pushed, failure} = await pushAll(store, wire, signedIn.id, options)
    if (pushed) greetedAt = now().getTime()
    const young = unconfirmedBlobs(await store.read(), person.id)
    const news = signedIn.id === person.id ? await pullAll(store, wire, person.id, now) : {again: false}
    const asked = await verifyBlobs(store, wire, young)
    if (news.again || asked.lost) ({failure} = await pushAll(store, wire, signedIn.id, {...options, greet: false}))
    failure ??= asked.failure
    const at = wire.serverTime()
    if (at) {
      const parted = await verifyBlobs(store, wire, blobsToVerify(await store.read(), at))
      await store.update(memory => removals(memory, at, parted.there))
      failure ??= parted.failure
    }
    Object.assign(status, {online: 'yes', needs_sign_in: signedIn.id !== person.id, problem: '', last_ok_at: now().toISOString()})
    void keepPacks(person)
    if (failure) throw failure
  }

  async function whoIsSignedIn() {
    // The session is the browser's: in another window somebody else may sign in, and operations
    // sent then would be held. Only while this page has the focus is that impossible.
    if (!session || window.document?.hasFocus?.() === false) session = await wire.session()
    return session
  }

  async function keepPacks(person) {
    if (!packs) return
    try {
      const [files, facts] = [await store.visits(), await store.facts()]
      const inUse = record => record?.cells.guide?.[0]?.value || facts.guide
      const spoken = files.map(file => file.record.cells.language?.at(-1)?.value)
      // Only this phone's languages: the person's, those of its visits, and those asked for in the
      // settings. Any other is fetched when it is chosen at a door that has a network.
      const languages = [...new Set(['sv', chosenLanguage(), person.interface_language, ...spoken, ...person.languages ?? [], ...packs.requestedLanguages()])]
        .filter(tag => facts.languages.includes(tag))
      const records = [...files, ...(await store.read()).visits.values()].map(one => one.record)
      const versions = [...new Set([...records.map(inUse), facts.guide])].filter(Boolean)
      const wanted = versions.flatMap(version => languages.map(tag => [version, tag]))
      await packs.fetchAhead(wanted)
      await packs.dropOtherPacks(wanted)
      await keepRecordings(languages, facts.recordings)
    } catch (error) {
      console.error('The guide could not be kept ahead', error) // it is fetched when a visit is opened
    }
  }

  function heard(error) {
    if (!(error instanceof NotSent)) {
      console.error(error)
      Object.assign(status, {problem: 'phone'})
      return
    }
    session = null
    const {kind, code} = error
    if (kind === 'reauth') Object.assign(status, {online: 'yes', needs_sign_in: true, problem: ''})
    else if (code === 'other_server') Object.assign(status, {online: 'yes', needs_sign_in: true, problem: code})
    else if (kind === 'offline') Object.assign(status, {online: 'no', problem: ''})
    // A page in between is no contact; which one it was helps whoever is asked for help.
    else Object.assign(status, {online: kind === 'foreign' ? 'no' : 'yes', problem: code})
  }

  // --- when

  async function run(again) {
    status.running = true
    const before = await picture()
    try {
      await alone(() => round(again))
      failures = 0
    } catch (error) {
      heard(error)
      failures = status.needs_sign_in ? 0 : failures + 1
    }
    status.running = false
    if (!stopped && await picture() !== before) onChange()
  }

  /** What a page may show of all this; the cursor's moving on is no reason to paint anew. */
  async function picture() {
    const {online, needs_sign_in: needs, problem} = status
    const memory = store.enrolled ? await store.read().catch(() => null) : null
    const visits = [...memory?.visits.values() ?? []].map(one => [one.id, one.seq, one.gone])
    const receipts = [...memory?.receipts.values() ?? []].map(one => [one.id, one.result, one.problem, one.comment])
    const facts = ['people', 'guide', 'server_day', 'languages', 'person'].map(id => memory?.meta.get(id)?.value)
    return JSON.stringify([online, needs, problem, visits, receipts, facts])
  }

  async function alone(work) {
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

  /** A round; during one, the next, which everybody who asks meanwhile shares. */
  function sync(again) {
    if (current) {
      next ??= {again: false, done: current.then(() => {
        const {again: wanted} = next
        next = null
        return start(wanted)
      })}
      next.again ||= again
      return next.done
    }
    return start(again)
  }

  function start(again) {
    if (stopped) return Promise.resolve()
    timer.clear(waiting)
    waiting = null
    current = run(again).finally(() => {
      current = null
      if (!next) later()
    })
    return current
  }

  function later() {
    if (stopped) return
    const calm = status.needs_sign_in ? SIGNED_OUT_MS : CALM_MS
    const pause = failures > 0 ? Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (failures - 1)) : calm
    timer.clear(waiting)
    waiting = timer.set(() => void sync(true), pause * (0.5 + random()))
  }

  let soon = null
  const stopListening = store.onSave(() => {
    // Taps come in bursts: what follows within a second goes along. After a failure the pause is
    // kept, or every tap in a cellar would be a request.
    if (soon !== null || failures > 0 || stopped) return
    soon = timer.set(() => {
      soon = null
      void sync(false)
    }, SAVE_PAUSE_MS)
  })

  const wake = () => {
    session = null
    if (window.document?.visibilityState !== 'hidden') void sync(true)
  }
  const forget = () => { session = null }
  const events = [[window, 'online', wake], [window, 'pageshow', wake], [window.document, 'visibilitychange', wake], [window, 'blur', forget]]
  for (const [target, name, listener] of events) target?.addEventListener?.(name, listener)

  if (store.enrolled) void device.askToPersist()
  void sync(true)

  return {
    now() {
      session = null
      return sync(true)
    },
    status: () => ({...status}),
    stop() {
      stopped = true
      stopListening()
      timer.clear(waiting)
      timer.clear(soon)
      for (const [target, name, listener] of events) target?.removeEventListener?.(name, listener)
    },
  }
}
