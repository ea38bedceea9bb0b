// Any mixture of taps and of what networks, sessions and servers do; then the faults stop, and
// nobody touches the phone any more.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import fc from 'fast-check'

import {enrolled, note, outbox, until, VISIT} from './phone.mjs'
import {PAGE, Server} from './server.mjs'

const {saveDrafts, unsent, counts} = outbox
const {startSync} = await import('../../static/field/sync/schedule.js')

const json = (status, problem) =>
  new Response(JSON.stringify({problem}), {status, headers: {'Content-Type': 'application/json'}})

/** What may stand between phone and server; `answer` lets the server do its work. */
const FAULTS = {
  'no network': async () => {
    throw new TypeError('no network')
  },
  'lost answer': async answer => {
    await answer()
    throw new TypeError('the answer was lost')
  },
  portal: async () => PAGE(),
  'proxy error': async () =>
    new Response('<h1>502</h1>', {status: 502, headers: {'Content-Type': 'text/html'}}),
  'server error': async () => json(500, 'server_error'),
  'signed out': async () => json(401, 'reauth'),
  'too many': async () => json(429, 'wait'),
  'torn answer': async answer => {
    const {status, headers, ...whole} = await answer().then(async response => ({
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    }))
    return new Response(whole.text.slice(0, whole.text.length / 2), {status, headers})
  },
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({do: fc.constant('save'), drafts: fc.integer({min: 1, max: 3})}),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('fault'),
        name: fc.constantFrom(...Object.keys(FAULTS), ''),
        push: fc.boolean(),
      }),
    },
    {weight: 4, arbitrary: fc.record({do: fc.constant('sync')})},
    {weight: 1, arbitrary: fc.record({do: fc.constant('kill')})},
    {weight: 1, arbitrary: fc.record({do: fc.constant('hold'), on: fc.boolean()})},
    {weight: 1, arbitrary: fc.record({do: fc.constant('restore')})},
  ),
  {minLength: 5, maxLength: 30},
)

/** The counter equals the list; false where a round came in between. */
async function counterIsTrue(store) {
  const before = (await unsent(store)).length
  const counted = await counts(store)
  if ((await unsent(store)).length !== before) return false
  assert.equal(counted.unsent + counted.needs, before)
  return true
}

/** A phone that is used according to `plan`. @returns what is left when the faults have stopped */
async function live(plan) {
  const {phone, store: first} = await enrolled()
  const server = new Server()
  server.desk('visit.plan', VISIT, {tenancy: '', kind: 'welcome'})
  server.desk('visit.assign', VISIT, {visitors: ['bob']}, ['bob'])
  const saved = []
  let timers = []
  const options = {
    fetch: server.fetch,
    onChange() {},
    window: new EventTarget(),
    locks: null,
    packs: null,
    random: () => 0.5,
    health: async () => ({}),
    timer: {
      set(run, ms) {
        const timer = {run, ms}
        timers.push(timer)
        return timer
      },
      clear(timer) {
        timers = timers.filter(one => one !== timer)
      },
    },
  }
  let store = first
  let sync = startSync(store, options)
  const quiet = () => until(() => !sync.status().running)
  for (const step of plan) {
    if (step.do === 'save') {
      const drafts = Array.from({length: step.drafts}, (_, n) => note(`${saved.length + n}`))
      saved.push(...(await saveDrafts(store, drafts)))
    } else if (step.do === 'fault') {
      const isMet = path => !step.push || path === '/sync/push'
      server.meddle = ({path}, answer) =>
        step.name && isMet(path) ? FAULTS[step.name](answer) : answer()
    } else if (step.do === 'sync') {
      await sync.now()
    } else if (step.do === 'hold') {
      server.holds = () => (step.on ? 'no_right' : '')
    } else if (step.do === 'restore') {
      server.restore(2) // to before the first of the phone's operations
    } else {
      sync.stop() // its round goes on: a tab that was closed a moment too late
      timers = []
      store = await phone.tab()
      sync = startSync(store, options)
    }
    await until(() => counterIsTrue(store))
  }
  server.meddle = (request, answer) => answer()
  server.holds = () => ''
  let rounds = 0
  await quiet()
  // Only the phone's own timers, from here on. A save that has just been made starts its own round.
  while ((await unsent(store)).length > 0 || rounds < 2) {
    assert.ok(
      rounds++ < 10,
      `after ${rounds} rounds: ${JSON.stringify([sync.status(), await counts(store)])}`,
    )
    const timer = timers.reduce((one, other) => (other.ms > one.ms ? other : one), {ms: 0})
    assert.ok(timer.run, 'no timer is set: the phone would wait for ever')
    options.timer.clear(timer)
    timer.run()
    await until(() => timers.some(one => one.ms > 1000))
  }
  sync.stop()
  return {server, store, saved: saved.map(one => one.id)}
}

test('I8: whatever happened, when the faults stop the outbox drains by itself, each operation once', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async plan => {
      const {server, store, saved} = await live(plan)
      const logged = server.log
        .filter(one => one.operation.kind === 'visit.note')
        .map(one => one.id)
      assert.deepEqual([...logged].sort(), [...saved].sort())
      assert.deepEqual(await counts(store), {unsent: 0, needs: 0, waits: 0})
      const shown = (await store.visit(VISIT)).record.notes
      assert.deepEqual(shown.map(one => one.id).sort(), [...saved].sort())
    }),
    {numRuns: Number(process.env.SCHEDULES ?? 60), includeErrorInReport: true},
  )
})
