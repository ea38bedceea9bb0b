// The worker only serves files: it keeps one verified set of public files per version and answers
// GETs for them. Invariant: it handles no POST, keeps nothing personal, writes nothing else and
// holds no state between events. The server writes VERSION and FILES above these lines.

// The shell's own hash is part of the name: an install that fails must never delete a cache in use.
const CACHE = `troskel-shell-${VERSION}-${FILES[0].sha256.slice(0, 8)}`
const OWN = new Set(FILES.map(file => file.url))

// Catalogues and fonts of languages that not every phone uses: kept where a page asks for them.
const nameOf = url => new URL(url, self.location).pathname.split('/').slice(3).join('/')

/** What earlier versions keep: name → how to read it. */
async function keptBefore() {
  const found = new Map()
  for (const name of (await caches.keys()).filter(one => one.startsWith('troskel-shell-'))) {
    const cache = await caches.open(name)
    for (const request of await cache.keys())
      found.set(nameOf(request.url), () => cache.match(request, {ignoreVary: true}))
  }
  return found
}

async function keep(wanted) {
  const cache = await caches.open(CACHE)
  for (const file of FILES.filter(one => one.optional && wanted(one))) {
    const kept = await cache.match(file.url, {ignoreVary: true})
    if (!kept) await cache.put(file.url, await fetchVerified(file))
  }
}

const isFor = languages => file => file.languages?.some(tag => languages.includes(tag))

/** Delete the fonts of all other languages. */
async function dropFonts(languages) {
  const [cache, isNeeded] = [await caches.open(CACHE), isFor(languages)]
  const others = FILES.filter(file => file.languages && !isNeeded(file))
  await Promise.all(others.map(file => cache.delete(file.url)))
}

const sha256Of = async response =>
  [...new Uint8Array(await crypto.subtle.digest('SHA-256', await response.arrayBuffer()))]
    .map(byte => byte.toString(16).padStart(2, '0'))
    .join('')

async function fetchVerified({url, sha256, type}) {
  // A followed redirect, a captive portal or a proxy's error page must never become the shell.
  const response = await fetch(url, {redirect: 'error', cache: 'no-store', credentials: 'omit'})
  const found = (response.headers.get('Content-Type') ?? '').split(';')[0]
  const answer = `${response.status} ${response.type} ${response.redirected} ${found}`
  if (answer !== `200 basic false ${type}`) throw new Error(`${url}: ${answer}`)
  if ((await sha256Of(response.clone())) !== sha256) throw new Error(`${url}: not of ${VERSION}`)
  return response
}

/** A file as an earlier version kept it, if it still is the same: an update fetches what has changed. */
async function take(file, before) {
  const kept = await before.get(nameOf(file.url))?.()
  if (!kept || (await sha256Of(kept.clone())) !== file.sha256) return fetchVerified(file)
  return new Response(kept.body, {headers: kept.headers}) // without its old address: fonts are looked for beside it
}

async function install() {
  try {
    const before = await keptBefore()
    const files = FILES.filter(file => !file.optional || before.has(nameOf(file.url))) // it loses no language
    const responses = await Promise.all(files.map(file => take(file, before)))
    const cache = await caches.open(CACHE)
    await Promise.all(files.map((file, i) => cache.put(file.url, responses[i])))
    // Quota or eviction can take single entries: count before calling it complete.
    if ((await cache.keys()).length < files.length) throw new Error('cache is incomplete')
  } catch (error) {
    await caches.delete(CACHE)
    throw error // the browser keeps the version before and tries again later
  }
}

async function activate() {
  const shells = (await caches.keys()).filter(name => name.startsWith('troskel-shell-'))
  const earlier = shells.filter(name => name !== CACHE)
  // The two before stay: a page of theirs may be open and load a catalogue late.
  await Promise.all(earlier.slice(0, -2).map(name => caches.delete(name)))
  if (earlier.length === 0) await self.clients.claim()
}

const GONE = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Tröskel</title><p>Tröskel är inte kvar på telefonen. Dina sparade svar är kvar. Öppna igen med nät.
<p lang="en">Tröskel is no longer on this phone. What you saved still is. Open it again with a network.`

async function answerShell(request) {
  const kept = await caches.match('/field/', {cacheName: CACHE, ignoreVary: true})
  const gone = {status: 503, headers: {'Content-Type': 'text/html; charset=utf-8'}}
  return kept ?? fetch(request).catch(() => new Response(GONE, gone))
}

async function answerFile(request) {
  const kept = await caches.match(request, {ignoreVary: true})
  return kept ?? fetch(request).catch(() => Response.error())
}

self.addEventListener('install', event => event.waitUntil(install()))
self.addEventListener('activate', event => event.waitUntil(activate()))
// A new version waits until the page reports that nothing is half written.
self.addEventListener('message', event => {
  if (event.data === 'activate') self.skipWaiting()
  if (event.data === 'version') event.ports[0].postMessage(VERSION)
  const {keep: names, fonts, onlyFonts} = event.data
  // Without network now: requested again at the next start.
  if (names) event.waitUntil(keep(file => names.includes(nameOf(file.url))).catch(() => {}))
  if (fonts) event.waitUntil(keep(isFor(fonts)).catch(() => {}))
  if (onlyFonts) event.waitUntil(dropFonts(onlyFonts))
})
self.addEventListener('fetch', event => {
  const {request} = event
  const {origin, pathname} = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  const isPage = request.mode === 'navigate'
  const isFile = !isPage && (OWN.has(pathname) || pathname.startsWith('/s/'))
  if (isPage && pathname.startsWith('/field/')) event.respondWith(answerShell(request))
  if (isFile) event.respondWith(answerFile(request))
})
