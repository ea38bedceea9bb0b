// The guide read aloud by people: recordings of this phone's languages, kept in the Cache API.
// Invariant: what plays is whole and what the server listed last (its hash is checked before it is
// kept); what is listed no longer leaves. It refuses other languages than those it is given, and
// to hinder anything: without a recording there is a local voice, or no button.

const CACHE = 'troskel-recordings'
const TIMEOUT_MS = 60_000
const listUrl = language => `/recordings/${encodeURIComponent(language)}.json`
const soundUrl = sha256 => `/recordings/${sha256}`
const NAME = 'X-List' // the list's name, kept with it: the same name needs no new list

async function openCache() {
  try {
    return await globalThis.caches?.open(CACHE)
  } catch {
    return undefined // storage switched off: nothing is kept, nothing plays
  }
}

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

async function hashOf(bytes) {
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, '0')).join('')
}

/** The recordings of a language that this phone knows of: key → {sha256, type, facts}. */
async function listOf(cache, language) {
  try {
    return (await (await cache.match(listUrl(language)))?.json())?.recordings ?? {}
  } catch {
    return {}
  }
}

async function keepList(cache, language, name) {
  const kept = await cache.match(listUrl(language))
  if (kept?.headers.get(NAME) === name) return
  const answer = await (await fetchOwn(listUrl(language), 'application/json')).json()
  if (answer.language !== language || typeof answer.recordings !== 'object')
    throw new Error(`no list of ${language}`)
  const headers = {'Content-Type': 'application/json', [NAME]: name}
  await cache.put(listUrl(language), new Response(JSON.stringify(answer), {headers}))
}

async function keepSound(cache, {sha256, type}) {
  if (await cache.match(soundUrl(sha256))) return
  const bytes = await (await fetchOwn(soundUrl(sha256), type)).arrayBuffer()
  if ((await hashOf(bytes)) !== sha256) throw new Error(`${sha256} arrived damaged`)
  await cache.put(soundUrl(sha256), new Response(bytes, {headers: {'Content-Type': type}}))
}

/**
 * Have the recordings of these languages here, and no others. What cannot be had now is asked for
 * at the next contact.
 * @param {string[]} languages of this phone @param {Record<string, string>} names language → name of its list now
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
        /* asked for again after the next contact */
      }
    }
  }
  for (const {url} of await cache.keys()) {
    const {pathname} = new URL(url, 'http://phone')
    if (!wanted.has(pathname)) await cache.delete(url)
  }
}

/** The recording of a text on this phone, if it says what this visit's text says.
 * @param {string} language @param {string} key item, consent or "notice.…" @param {Record<string, string>} facts
 * the company's in this visit @returns {Promise<Blob|null>} */
export async function recordingOf(language, key, facts) {
  const cache = await openCache()
  if (!cache) return null
  const found = await listOf(cache, language)
  if (!Object.hasOwn(found, key)) return null
  // Another building may have other hours; what is heard must be what is read.
  if (Object.entries(found[key].facts).some(([name, value]) => (facts[name] ?? '') !== value))
    return null
  return (await (await cache.match(soundUrl(found[key].sha256)))?.blob()) ?? null
}
