// The guide's packs on this phone: one per version and language, public, immutable, kept in the
// Cache API beside the shell. Invariant: a pack that is returned names the requested version and
// language in itself; a captive portal's page or a torn entry does not. Packs are deleted only when
// the caller lists what is needed: the server may not have an old version any more.

import {dropOtherFonts, keepFonts} from './fonts.js'

/** @import {Pack} from './shapes.d.ts' */

const CACHE = 'troskel-guides'
const TIMEOUT_MS = 20_000
const REQUESTED = 'troskel.guide-languages'
/** @type {Map<string, Promise<Pack>>} URL → pack, for as long as the page lives */
const read = new Map()
/** @type {Set<string>} URLs that this server answered with 404: not fetched ahead again */
const absent = new Set()

/** @param {string} version @param {string} language */
const urlOf = (version, language) =>
  `/guide/${encodeURIComponent(version)}/${encodeURIComponent(language)}.json`

/**
 * One language of one version of the guide: from this phone, else from the server.
 * @param {string} version @param {string} language
 * @returns {Promise<Pack>} shared: read, never change
 * @throws {Error} where it is neither here nor can be fetched now
 */
export function loadPack(version, language) {
  const url = urlOf(version, language)
  const known = read.get(url)
  if (known) return known
  const found = load(url, version, language)
  read.set(url, found)
  found.catch(() => read.delete(url)) // the next call tries again
  return found
}

/** @param {string} url @param {string} version @param {string} language @returns {Promise<Pack>} */
async function load(url, version, language) {
  if (!version) throw new Error('no version of the guide is known yet')
  const cache = await openCache()
  const kept = await cache?.match(url).catch(() => undefined)
  if (kept) {
    const text = await kept.text().catch(() => '')
    const found = parse(text, version, language)
    if (found) return found
    await cache?.delete(url)
  }
  const response = await fetch(url, {
    redirect: 'error',
    credentials: 'omit',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const type = response.headers.get('Content-Type') ?? ''
  const text =
    response.status === 200 && /^application\/json\b/.test(type) ? await response.text() : ''
  if (response.status === 404) absent.add(url)
  const found = parse(text, version, language)
  if (!found) throw new Error(`${url}: ${response.status} ${type} is no guide`)
  // A full cache is no reason to withhold what was fetched.
  await cache
    ?.put(url, new Response(text, {headers: {'Content-Type': 'application/json'}}))
    .catch(() => {})
  return found
}

/** @param {string} text @param {string} version @param {string} language @returns {Pack|null} */
function parse(text, version, language) {
  try {
    const found = JSON.parse(text)
    return found?.version === version && found.language === language ? found : null
  } catch {
    return null
  }
}

/** @returns {Promise<Cache|undefined>} */
async function openCache() {
  try {
    return await globalThis.caches?.open(CACHE)
  } catch {
    return undefined // storage switched off: the network serves
  }
}

/**
 * Fetch packs ahead, one after the other, and the fonts they need, so that they are here when there
 * is no network.
 * @param {Array<[string, string]>} wanted version and language, the most needed first
 * @returns {Promise<number>} how many are here
 */
export async function fetchAhead(wanted) {
  void keepFonts(wanted.map(([, language]) => language))
  let here = 0
  for (const [version, language] of wanted) {
    if (absent.has(urlOf(version, language))) continue
    try {
      await loadPack(version, language)
      here++
    } catch {
      /* tried again after the next contact */
    }
  }
  return here
}

/**
 * Delete every pack but these, and the fonts that no language of them needs.
 * @param {Array<[string, string]>} wanted version and language
 */
export async function dropOtherPacks(wanted) {
  if (wanted.length === 0) return
  void dropOtherFonts(wanted.map(([, language]) => language))
  const cache = await openCache()
  if (!cache) return
  const urls = new Set(wanted.map(one => urlOf(...one)))
  for (const {url} of await cache.keys()) {
    const path = new URL(url, 'http://phone').pathname
    if (urls.has(path)) continue
    await cache.delete(url)
    read.delete(path)
  }
}

/**
 * Languages of this version that are on the phone.
 * @param {string} version @returns {Promise<Set<string>>}
 */
export async function languagesOnPhone(version) {
  const cache = await openCache()
  const paths = ((await cache?.keys()) ?? []).map(({url}) =>
    new URL(url, 'http://phone').pathname.split('/'),
  )
  return new Set(
    paths
      .filter(path => path[2] === encodeURIComponent(version))
      .map(path => path[3].replace(/\.json$/, '')),
  )
}

// --- languages requested in the settings, beside those of the person and the visits

/** @returns {string[]} tags */
export function requestedLanguages() {
  try {
    const tags = JSON.parse(localStorage.getItem(REQUESTED) ?? '[]')
    return Array.isArray(tags) ? tags : []
  } catch {
    return [] // storage switched off, or not ours
  }
}

/**
 * Have this language here from now on, or no longer.
 * @param {string} tag @param {boolean} wanted
 */
export function requestLanguage(tag, wanted) {
  const others = requestedLanguages().filter(one => one !== tag)
  try {
    localStorage.setItem(REQUESTED, JSON.stringify(wanted ? [...others, tag] : others))
  } catch {
    /* lasts until the page closes */
  }
}
