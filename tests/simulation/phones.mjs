// The process with all phones of a simulation: the shipped code of static/field on pages that can be
// killed at any task. A line with a list of commands in, a line with their results out; between two
// commands every phone stands still.
// Invariant: nothing here depends on a real clock, a thread or chance: time, ids and the moment of
// each fault come with the command, so the same commands give the same results on every machine. The
// server is not known here: requests are reported as events, and `answer` brings the response.

import {createInterface} from 'node:readline'

import {Answer, sha256} from './fake_browser.mjs'
import {Page} from './page.mjs'
import {Phone, passTime} from './phone.mjs'
import {report, resetRun, run, runAll} from './turns.mjs'

const phones = new Map()
const NOT_ENROLLED = {
  enrolled: false,
  outbox: [],
  receipts: [],
  unsent: [],
  visits: [],
  counts: null,
}

const bytesOf = text => new Uint8Array(Buffer.from(text, 'base64')).buffer
const refused = error => report({event: 'refused', what: error.code ?? String(error)})

const commands = {
  reset() {
    phones.clear()
    resetRun()
  },

  phone({phone, seed}) {
    phones.set(phone, new Phone(phone, seed))
  },

  /** A page is opened: the store, and the sync where somebody has enrolled. */
  async boot({phone: name, tab}) {
    const phone = phones.get(name)
    const page = new Page(phone, tab)
    phone.pages.push(page)
    const {openStore} = page.code
    openStore({name: 'troskel', canaries: canariesOf(page), wait: async () => {}}).then(
      store => {
        page.store = store
        if (store.enrolled) page.startSync()
      },
      error => report({event: 'unopened', what: String(error)}),
    )
    await phone.drain()
    return {enrolled: page.store?.enrolled ?? false, lost: page.store?.lost ?? null}
  },

  async sign_in({phone: name, tab, person}) {
    const phone = phones.get(name)
    const page = phone.page(tab)
    let done = false
    const signIn = async () => {
      await page.store.enrol()
      await page.store.signIn(person)
      if (!page.sync) page.startSync()
      else void page.sync.now()
      done = true
    }
    signIn().catch(error => report({event: 'refused', what: String(error)}))
    await phone.drain()
    return {done}
  },

  async sign_out({phone: name, tab}) {
    const phone = phones.get(name)
    const {store} = phone.page(tab)
    store.signOut().catch(error => report({event: 'refused', what: String(error)}))
    await phone.drain()
  },

  /** Save taps, each in its tab, all begun at once. `saved` lists those shown as saved. */
  async tap({phone: name, taps}) {
    const phone = phones.get(name)
    const saved = []
    for (const {tab, drafts, blobs} of taps) {
      const page = phone.page(tab)
      if (!page?.store) continue
      const decoded = blobs.map(one => ({...one, bytes: bytesOf(one.bytes)}))
      page.code.outbox.saveDrafts(page.store, drafts, decoded, {now: new page.Date()}).then(
        ids => {
          if (!page.dead) saved.push(...ids.map(one => one.id))
        },
        error => {
          const ids = drafts.map(one => one.id)
          report({event: 'refused', what: error.code ?? String(error), ids})
        },
      )
    }
    await phone.drain()
    return {saved}
  },

  /** The person signed in hands over the work that waits for `by`. */
  async hand_over({phone: name, by}) {
    const phone = phones.get(name)
    const page = phone.page(0)
    page.code.outbox.handOver(page.store, by).catch(refused)
    await phone.drain()
  },

  /** Respond to a request; `error` is the name of the error that fetch throws instead. */
  async answer({id, answer, error}) {
    const request = run.requests.get(id)
    if (!request) return {known: false}
    run.requests.delete(id)
    if (error) request.reject(new DOMException('the network is gone', error))
    else request.resolve(new Answer(answer))
    await request.page.phone.drain()
    return {known: true}
  },

  /** The earliest timer fires; the clock moves to its time. */
  async timer({phone: name}) {
    const phone = phones.get(name)
    const [timer] = phone.timers()
    if (!timer) return {fired: false}
    timer.on = false
    passTime(timer.due)
    timer.run()
    await phone.drain()
    return {fired: true, now: run.now}
  },

  /** The network is back, or somebody taps "Send". */
  async wake({phone: name, tab}) {
    const phone = phones.get(name)
    void phone.page(tab)?.sync?.now()
    await phone.drain()
  },

  /** The battery is empty. */
  async cut({phone: name}) {
    phones.get(name).kill()
    await runAll()
  },

  clock({phone: name, skew, zone}) {
    Object.assign(phones.get(name), {skew, zone})
  },

  /** The browser's storage is copied, emptied, or restored to the copy. */
  async storage({phone: name, what}) {
    const phone = phones.get(name)
    if (what === 'keep') await phone.copyStorage()
    else if (what === 'older') await phone.restoreStorage()
    else phone.emptyStorage()
  },

  /** What the phone stores and shows. */
  async look({phone: name}) {
    const phone = phones.get(name)
    const page = phone.pages.find(one => one.store)
    if (!page?.store?.enrolled) return {...NOT_ENROLLED, lost: page?.store?.lost ?? null}
    let found
    contentOf(page).then(
      content => {
        found = content
      },
      error => report({event: 'unread', what: String(error)}),
    )
    await phone.drain()
    return found
  },
}

/** The shipped canaries on the phone's other storages. */
function canariesOf(page) {
  return page.phone.storages.map(one =>
    page.code.localCanary({
      getItem: key => one.getItem(key),
      setItem: (key, text) => {
        if (page.dead) return
        page.phone.changes++
        one.setItem(key, text)
      },
    }),
  )
}

async function contentOf({code, store, sync}) {
  const memory = await store.read()
  return {
    enrolled: true,
    lost: store.lost,
    device: store.device.id,
    person: (await store.person())?.id ?? '',
    outbox: [...memory.outbox.values()].map(row => ({
      ...{id: row.id, by: row.by, visit: row.visit, sha256: row.sha256},
      where: code.replay.whereIs(memory, row),
      whole: sha256(row.text).toString('hex') === row.sha256,
    })),
    receipts: [...memory.receipts.values()].map(({id, result, seq, problem}) => {
      return {id, result, seq, problem}
    }),
    unsent: (await code.outbox.unsent(store)).map(({id, state, problem}) => ({id, state, problem})),
    counts: await code.outbox.counts(store),
    visits: (await store.visits()).map(({id, record, state}) => ({id, record, state})),
    status: sync?.status() ?? null,
    gone: [...memory.visits.values()].map(one => [one.visit, one.gone]),
  }
}

async function resultOf(command) {
  if (command.now !== undefined) run.now = command.now
  run.events = []
  if (command.arm) phones.get(command.phone).arm(command.arm)
  let result
  try {
    result = await commands[command.do](command)
  } catch (error) {
    result = {failed: String(error?.stack ?? error)}
  }
  const phone = phones.get(command.phone)
  const {length: timers} = phone?.timers() ?? []
  return {...result, events: run.events, timers, points: phone?.points ?? 0}
}

process.on('unhandledRejection', () => {}) // of a page that was killed: nobody waits for it

for await (const line of createInterface({input: process.stdin})) {
  const results = []
  for (const command of JSON.parse(line)) results.push(await resultOf(command))
  process.stdout.write(`${JSON.stringify(results)}\n`)
}
