// A phone for the tests: the real store over a real implementation of IndexedDB in memory, with
// canaries of its own. Two tabs are two stores of one name.

import 'fake-indexeddb/auto'

export const {openStore} = await import('../../static/field/store/store.js')
export const {SaveFailed} = await import('../../static/field/store/save_failed.js')
export const outbox = await import('../../static/field/store/outbox.js')
const {localCanary} = await import('../../static/field/store/canary.js')

export const BOB = {
  id: 'bob',
  name: 'Bob Testsson',
  role: 'visitor',
  languages: ['sv', 'ar'],
  interface_language: 'sv',
}
export const AMIRA = {
  id: 'amira',
  name: 'Amira Testsson',
  role: 'ambassador',
  languages: ['ar'],
  interface_language: 'sv',
}
export const VISIT = '6f1c0000-0000-4000-8000-000000000001'

/** What localStorage is, in memory. */
export class MemoryStorage {
  kept = new Map()
  getItem(key) {
    return this.kept.get(key) ?? null
  }
  setItem(key, text) {
    this.kept.set(key, String(text))
  }
}

let phones = 0

/** The parts of a phone; `tab()` opens a store on them. */
export function newPhone() {
  const name = `phone-${++phones}`
  const storages = [new MemoryStorage(), new MemoryStorage()]
  return {
    name,
    storages,
    tab: (options = {}) =>
      openStore({name, canaries: storages.map(localCanary), wait: async () => {}, ...options}),
    wipe: () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(name)
        request.onsuccess = resolve
        request.onerror = reject
      }),
  }
}

/** A phone on which somebody is signed in. */
export async function enrolled(person = BOB) {
  const phone = newPhone()
  const store = await phone.tab()
  await store.enrol()
  await store.signIn(person)
  return {phone, store}
}

export const note = (text, id) => ({
  ...(id ? {id} : {}),
  kind: 'visit.note',
  subject: {type: 'visit', id: VISIT},
  data: {item: '', text},
})

/** Wait until `check` gives something true. @param {() => any} check */
export async function until(check) {
  // By the clock: on a busy machine hashing in another thread outlasts any number of turns.
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    const found = await check()
    if (found) return found
    await new Promise(resolve => {
      setImmediate(resolve)
    })
  }
  throw new Error(`never: ${check}`)
}
