// Guide packs: what is given is what was asked for, from the phone first.

import assert from 'node:assert/strict'
import {afterEach, beforeEach, test} from 'node:test'

const {
  requestLanguage,
  requestedLanguages,
  languagesOnPhone,
  loadPack,
  fetchAhead,
  dropOtherPacks,
} = await import('../../static/field/guide/packs.js')

let n = 0
let version
let kept
let asked
let answer

const json = body =>
  new Response(JSON.stringify(body), {headers: {'Content-Type': 'application/json'}})
const own = url => {
  const [, v, language] = url.match(/^\/guide\/([^/]+)\/([^/]+)\.json$/)
  return json({version: v, language, texts: {}})
}

beforeEach(() => {
  version = `v${++n}` // packs are remembered for the life of a page
  kept = new Map()
  asked = []
  answer = own
  globalThis.caches = {
    open: async () => ({
      match: async url => kept.get(url)?.clone(),
      put: async (url, response) => {
        kept.set(url, response)
      },
      delete: async url => kept.delete(String(url.url ?? url)),
      keys: async () => [...kept.keys()].map(url => ({url})),
    }),
  }
  globalThis.fetch = async (url, init) => {
    asked.push([url, init.redirect])
    return answer(url)
  }
})
afterEach(() => {
  delete globalThis.caches
})

test('a pack comes from the server once and then from the phone', async () => {
  assert.equal((await loadPack(version, 'sv')).version, version)
  await loadPack(version, 'sv')
  assert.deepEqual(asked, [[`/guide/${version}/sv.json`, 'error']])
  assert.deepEqual([...kept.keys()], [`/guide/${version}/sv.json`])
})

test('a pack kept on the phone needs no network', async () => {
  kept.set(`/guide/${version}/ar.json`, own(`/guide/${version}/ar.json`))
  assert.equal((await loadPack(version, 'ar')).language, 'ar')
  assert.deepEqual(asked, [])
})

const wrong = {
  'a page': () => new Response('<html>', {headers: {'Content-Type': 'text/html'}}),
  'another version': () => json({version: 'other', language: 'sv'}),
  'another language': () => json({version, language: 'ar'}),
  'an error': () =>
    new Response('{}', {status: 500, headers: {'Content-Type': 'application/json'}}),
  'half an answer': () =>
    new Response('{"version": "', {headers: {'Content-Type': 'application/json'}}),
}
for (const [name, lie] of Object.entries(wrong)) {
  test(`${name} is no guide, is not kept, and is asked for again`, async () => {
    answer = lie
    await assert.rejects(loadPack(version, 'sv'))
    assert.equal(kept.size, 0)
    answer = own
    assert.equal((await loadPack(version, 'sv')).version, version)
  })
}

test('an entry torn on the phone is fetched anew', async () => {
  kept.set(`/guide/${version}/sv.json`, new Response('{"version'))
  assert.equal((await loadPack(version, 'sv')).version, version)
  assert.equal(asked.length, 1)
})

test('without storage, or with a full one, the network serves', async () => {
  delete globalThis.caches
  assert.equal((await loadPack(version, 'sv')).version, version)
  globalThis.caches = {
    open: async () => ({
      match: async () => undefined,
      put: async () => {
        throw new DOMException('full', 'QuotaExceededError')
      },
    }),
  }
  assert.equal((await loadPack(version, 'ar')).version, version)
})

test('fetching ahead goes on past what is not there, and does not request that again', async () => {
  answer = url => (url.includes('/so.') ? new Response('', {status: 404}) : own(url))
  const wanted = [
    [version, 'so'],
    [version, 'sv'],
  ]
  assert.equal(await fetchAhead(wanted), 1)
  assert.equal(await fetchAhead(wanted), 1)
  assert.equal(asked.length, 2)
})

test('versions and languages that nothing uses are deleted, those in use stay', async () => {
  await fetchAhead([
    [version, 'sv'],
    [version, 'ti'],
    [`${version}b`, 'sv'],
  ])
  assert.deepEqual([...(await languagesOnPhone(version))], ['sv', 'ti'])
  await dropOtherPacks([
    [version, 'sv'],
    [version, 'so'],
  ])
  assert.deepEqual([...kept.keys()], [`/guide/${version}/sv.json`])
  await dropOtherPacks([])
  assert.equal(kept.size, 1, 'nothing known is no reason to empty the phone')
})

test('a language that is asked for stays asked for until it is not', () => {
  const words = new Map()
  globalThis.localStorage = {
    getItem: key => words.get(key) ?? null,
    setItem: (key, value) => {
      words.set(key, value)
    },
  }
  requestLanguage('ti', true)
  requestLanguage('so', true)
  requestLanguage('so', true)
  assert.deepEqual(requestedLanguages(), ['ti', 'so'])
  requestLanguage('ti', false)
  assert.deepEqual(requestedLanguages(), ['so'])
  words.set('troskel.guide-languages', '{"not": "ours"}')
  assert.deepEqual(requestedLanguages(), [])
  delete globalThis.localStorage
})
