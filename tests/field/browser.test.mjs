// The browser's report about itself, and ids and times made on the phone.

import assert from 'node:assert/strict'
import {test} from 'node:test'

const {askToPersist, installed, iosBrowserTab, report} = await import(
  '../../static/field/browser.js'
)
const {uuid4, uuid7, uuid7After} = await import('../../static/field/record/ids.js')
const {localIso} = await import('../../static/field/record/operations.js')

const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 26_6 like Mac OS X) AppleWebKit/605.1.15 Version/26.6 Mobile/15E148 Safari/604.1'
const MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.6 Safari/605.1.15'

test('a tab on an iPhone or iPad is distinguished from the app on the home screen and from a Mac', () => {
  assert.equal(iosBrowserTab({userAgent: IPHONE}), true)
  assert.equal(iosBrowserTab({userAgent: IPHONE, standalone: true}), false)
  assert.equal(iosBrowserTab({userAgent: MAC, maxTouchPoints: 5}), true)
  assert.equal(iosBrowserTab({userAgent: MAC, maxTouchPoints: 0}), false)
  assert.equal(iosBrowserTab({userAgent: 'Mozilla/5.0 (Linux; Android 16) Chrome/156'}), false)
})

test('an app with its own window is installed', () => {
  globalThis.matchMedia = query => ({matches: query.includes('standalone')})
  assert.equal(installed({}), true)
  globalThis.matchMedia = () => ({matches: false})
  assert.equal(installed({}), false)
  delete globalThis.matchMedia
})

test('what a browser does not know is left out of the report', async () => {
  assert.deepEqual(await report(), {installed: false, version: ''})
})

test('ids have the one form the server reads, and version 7 begins with its time', () => {
  const form = version =>
    new RegExp(`^[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
  assert.match(uuid4(), form(4))
  assert.match(uuid7(), form(7))
  assert.ok(uuid7(0x0123456789ab).startsWith('01234567-89ab-7'))
  assert.equal(new Set(Array.from({length: 1000}, () => uuid7(1))).size, 1000)
})

test('the further ids of a tap follow from the first', async () => {
  const first = uuid7()
  const [one, again, two] = [
    await uuid7After(first, 1),
    await uuid7After(first, 1),
    await uuid7After(first, 2),
  ]
  assert.equal(one, again)
  assert.notEqual(one, two)
  assert.equal(one.slice(0, 15), first.slice(0, 15))
  assert.notEqual(await uuid7After(uuid7(), 1), one)
})

test('a device writes its own time with its offset', () => {
  const at = minutes => {
    const date = new Date('2026-11-22T13:05:11.900Z')
    date.getTimezoneOffset = () => minutes
    return localIso(date)
  }
  assert.equal(at(-60), '2026-11-22T14:05:11+01:00')
  assert.equal(at(0), '2026-11-22T13:05:11+00:00')
  assert.equal(at(210), '2026-11-22T09:35:11-03:30')
  assert.equal(at(-345), '2026-11-22T18:50:11+05:45')
})

test('a browser that never answers is not waited for', async () => {
  const never = () => new Promise(() => {})
  Object.defineProperty(globalThis, 'navigator', {
    configurable: true,
    value: {storage: {persisted: never, persist: never, estimate: never}},
  })
  const {setTimeout: real} = globalThis
  globalThis.setTimeout = run => queueMicrotask(run)
  try {
    assert.deepEqual(await report(), {installed: false, version: ''})
    assert.equal(await askToPersist(), undefined)
  } finally {
    globalThis.setTimeout = real
    delete globalThis.navigator
  }
})
