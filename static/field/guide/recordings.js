// The guide read aloud by people: recordings in this phone's languages, kept in the Cache API.
// Invariant: what plays is complete and on the server's latest list (its hash is checked before it
// is kept); what is not listed any more is deleted. Nothing depends on a recording: without one
// there is a local voice, or no button.

/** @typedef {{sha256: string, type: string, facts: Record<string, string>}} Recording */

const CACHE = 'troskel-recordings'
const TIMEOUT_MS = 60_000
/** @param {string} language */
const listUrl = language => `/recordings/${encodeURIComponent(language)}.json`
/** @param {string} sha256 */
const soundUrl = sha256 => `/recordings/${sha256}`
// Header with the list's name: a list of the same name need not be fetched again.
const NAME = 'X-List'

/** @returns {Promise<Cache|undefined>} */
async function openCache() {
  try {
    return await globalThis.caches?.open(CACHE)
  } catch {
    return undefined // storage switched off: nothing is kept, nothing plays
  }
}

/**
 * @param {string} url @param {string} type the media type it must have @returns {Promise<Response>}
 */
async function fetchOwn(url, type) {
  const response = await fetch(url, {
    redirect: 'error',
    credentials: 'same-origin',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const found = response.headers.get('Content-Type') ?? ''
  if (response.status !== 200 || !found.startsWith(type))
    throw new Error(`${url}: ${response.status} ${found}`)
  return response
}

/** @param {ArrayBuffer} bytes */
async function hashOf(bytes) {
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * The recordings of a language that this phone knows of.
 * @param {Cache} cache @param {string} language
 * @returns {Promise<Record<string, Recording>>} by key
 */
async function listOf(cache, language) {
  try {
    return (await (await cache.match(listUrl(language)))?.json())?.recordings ?? {}
  } catch {
    return {}
  }
}

/** @param {Cache} cache @param {string} language @param {string} name of the list now */
async function keepList(cache, language, name) {
  const kept = await cache.match(listUrl(language))
  if (kept?.headers.get(NAME) === name) return
  const answer = await (await fetchOwn(listUrl(language), 'application/json')).json()
  if (answer.language !== language || typeof answer.recordings !== 'object')
    throw new Error(`no list of ${language}`)
  const headers = {'Content-Type': 'application/json', [NAME]: name}
  await cache.put(listUrl(language), new Response(JSON.stringify(answer), {headers}))
}

/** @param {Cache} cache @param {Recording} recording */
async function keepSound(cache, {sha256, type}) {
  if (await cache.match(soundUrl(sha256))) return
  const bytes = await (await fetchOwn(soundUrl(sha256), type)).arrayBuffer()
  if ((await hashOf(bytes)) !== sha256) throw new Error(`${sha256} arrived damaged`)
  await cache.put(soundUrl(sha256), new Response(bytes, {headers: {'Content-Type': type}}))
}

/**
 * Have the recordings of these languages here, and no others. What cannot be fetched now is tried
 * again at the next contact.
 * @param {string[]} languages of this phone
 * @param {Record<string, string>} names language → name of its list now
 */
export async function keepRecordings(languages, names) {
  const cache = await openCache()
  if (!cache) return
  const wanted = new Set()
  for (const language of languages.filter(tag => Object.hasOwn(names, tag))) {
    try {
      await keepList(cache, language, names[language])
    } catch {
      /* the list from before counts until the next contact */
    }
    wanted.add(listUrl(language))
    for (const one of Object.values(await listOf(cache, language))) {
      wanted.add(soundUrl(one.sha256))
      try {
        await keepSound(cache, one)
      } catch {
        /* tried again after the next contact */
      }
    }
  }
  for (const {url} of await cache.keys()) {
    const {pathname} = new URL(url, 'http://phone')
    if (!wanted.has(pathname)) await cache.delete(url)
  }
}

/**
 * The recording of a text on this phone, if it was read with the same facts as this visit's text.
 * @param {string} language @param {string} key item, consent or "notice.…"
 * @param {Record<string, string>} facts the company's in this visit @returns {Promise<Blob|null>}
 */
export async function recordingOf(language, key, facts) {
  const cache = await openCache()
  if (!cache) return null
  const found = await listOf(cache, language)
  if (!Object.hasOwn(found, key)) return null
  // Another building may have other hours.
  if (Object.entries(found[key].facts).some(([name, value]) => (facts[name] ?? '') !== value))
    return null
  return (await (await cache.match(soundUrl(found[key].sha256)))?.blob()) ?? null
}
