// A signed-in phone with its sync and a server, for the tests of sending, pulling and timing.

import assert from 'node:assert/strict'

import {BOB, enrolled, outbox, until, VISIT} from './phone.mjs'
import {Server} from './server.mjs'

const {saveDrafts} = outbox
const {startSync} = await import('../../static/field/sync/schedule.js')
const {sha256} = await import('../../static/field/record/ids.js')

/** A signed-in phone with its sync, and a server; timers only run when the test says so. */
export async function world({person = BOB, ...options} = {}) {
  const {phone, store} = await enrolled(person)
  const server = new Server()
  server.user = person.id
  const timers = []
  const changes = []
  const clock = {now: new Date('2026-11-22T10:00:00Z')}
  server.now = () => clock.now
  const timer = {
    set: (run, ms) => timers.push({run, ms, on: true}) - 1,
    clear: n => {
      if (timers[n]) timers[n].on = false
    },
  }
  const parts = {
    fetch: server.fetch,
    timer,
    window: new EventTarget(),
    locks: null,
    packs: null,
    random: () => 0.5,
    now: () => clock.now,
    health: async () => ({version: 'v1', persisted: true}),
    onChange: () => changes.push(1),
    ...options,
  }
  const sync = startSync(store, parts)
  await sync.now() // the one at the start
  const fire = async ms => {
    const due = timers.find(one => one.on && one.ms === ms)
    assert.ok(due, `no timer of ${ms} ms among ${timers.filter(one => one.on).map(one => one.ms)}`)
    due.on = false
    due.run()
    await until(() => !sync.status().running)
  }
  return {phone, store, server, sync, timers, changes, clock, parts, fire}
}

export const planned = server => {
  server.desk('visit.plan', VISIT, {tenancy: '', kind: 'welcome'})
  server.desk('visit.assign', VISIT, {visitors: ['bob'], date: '2026-11-23'}, ['bob'])
}
export const pushes = server => server.requests.filter(one => one.path === '/sync/push')
export const idsOf = request => request.body.operations.map(text => JSON.parse(text).id)
export const svg = text =>
  new TextEncoder().encode(`<svg xmlns="http://www.w3.org/2000/svg"><path d="${text}"/></svg>`)
    .buffer

export async function signed(store, bytes, type = 'image/svg+xml') {
  const hash = await sha256(bytes)
  const data = {purpose: 'K1', decision: 'yes', signature: hash}
  const [{id}] = await saveDrafts(
    store,
    [{kind: 'visit.consent', subject: {type: 'visit', id: VISIT}, data}],
    [{sha256: hash, type, bytes}],
  )
  return {id, hash}
}

export async function altered(answer, change) {
  const response = await answer()
  const body = await response.json()
  change(body)
  return new Response(JSON.stringify(body), {headers: response.headers})
}
