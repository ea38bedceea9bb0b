// Recordings on a phone: whole, listed, for this phone's languages, and only for the same facts.

import assert from 'node:assert/strict'
import {createHash} from 'node:crypto'
import {afterEach, beforeEach, test} from 'node:test'

const {keepRecordings, recordingOf} = await import('../../static/field/guide/recordings.js')

const SOUND = new TextEncoder().encode('OggS a voice')
const SHA = createHash('sha256').update(SOUND).digest('hex')
let kept
let asked
let answers

beforeEach(() => {
  kept = new Map()
  asked = []
  answers = {
    '/recordings/ar.json': () =>
      new Response(
        JSON.stringify({
          language: 'ar',
          recordings: {
            i25: {sha256: SHA, type: 'audio/ogg', facts: {'company.phone': '021'}},
            i26: {sha256: SHA, type: 'audio/ogg', facts: {}},
          },
        }),
        {headers: {'Content-Type': 'application/json'}},
      ),
    [`/recordings/${SHA}`]: () => new Response(SOUND, {headers: {'Content-Type': 'audio/ogg'}}),
  }
  globalThis.caches = {
    open: async () => ({
      match: async url => kept.get(url)?.clone(),
      put: async (url, response) => {
        kept.set(url, response)
      },
      delete: async url => kept.delete(new URL(url, 'http://phone').pathname),
      keys: async () => [...kept.keys()].map(url => ({url: `http://phone${url}`})),
    }),
  }
  globalThis.fetch = async url => {
    asked.push(url)
    return answers[url]?.() ?? new Response('{}', {status: 404})
  }
})
afterEach(() => {
  delete globalThis.caches
})

test('the recordings of this phone’s languages are kept, and of no other', async () => {
  await keepRecordings(['sv', 'ar'], {ar: 'one', so: 'two'})
  assert.deepEqual(asked, ['/recordings/ar.json', `/recordings/${SHA}`])
  const found = await recordingOf('ar', 'i26', {})
  assert.deepEqual(new Uint8Array(await found.arrayBuffer()), SOUND)
  assert.equal(found.type, 'audio/ogg')
})

test('the same list is not fetched twice, another one is', async () => {
  await keepRecordings(['ar'], {ar: 'one'})
  await keepRecordings(['ar'], {ar: 'one'})
  assert.equal(asked.filter(url => url.endsWith('.json')).length, 1)
  await keepRecordings(['ar'], {ar: 'two'})
  assert.equal(asked.filter(url => url.endsWith('.json')).length, 2)
})

test('a recording never plays where this visit has other facts', async () => {
  await keepRecordings(['ar'], {ar: 'one'})
  assert.ok(await recordingOf('ar', 'i25', {'company.phone': '021', 'quiet.from': '22'}))
  assert.equal(await recordingOf('ar', 'i25', {'company.phone': '016'}), null)
  assert.equal(await recordingOf('ar', 'i25', {}), null)
  assert.equal(await recordingOf('ar', 'i27', {}), null)
  assert.equal(await recordingOf('so', 'i26', {}), null)
})

test('a sound that arrived damaged, or as a page, is not kept and asked for again', async () => {
  const right = answers[`/recordings/${SHA}`]
  for (const lie of [
    () => new Response('other', {headers: {'Content-Type': 'audio/ogg'}}),
    () => new Response('<html>', {headers: {'Content-Type': 'text/html'}}),
  ]) {
    answers[`/recordings/${SHA}`] = lie
    await keepRecordings(['ar'], {ar: 'one'})
    assert.equal(await recordingOf('ar', 'i26', {}), null)
  }
  answers[`/recordings/${SHA}`] = right
  await keepRecordings(['ar'], {ar: 'one'})
  assert.ok(await recordingOf('ar', 'i26', {}))
})

test('what is not listed any more, or is of a language no longer used, is deleted', async () => {
  await keepRecordings(['ar'], {ar: 'one'})
  assert.equal(kept.size, 2)
  answers['/recordings/ar.json'] = () =>
    new Response(JSON.stringify({language: 'ar', recordings: {}}), {
      headers: {'Content-Type': 'application/json'},
    })
  await keepRecordings(['ar'], {ar: 'two'})
  assert.deepEqual([...kept.keys()], ['/recordings/ar.json'])
  await keepRecordings(['sv'], {ar: 'two'})
  assert.equal(kept.size, 0)
})

test('without network the list and the sounds from before stay', async () => {
  await keepRecordings(['ar'], {ar: 'one'})
  globalThis.fetch = async () => {
    throw new TypeError('no network')
  }
  await keepRecordings(['ar'], {ar: 'two'})
  assert.ok(await recordingOf('ar', 'i26', {}))
})
