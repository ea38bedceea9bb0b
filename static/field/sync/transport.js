// The wire between phone and server. Invariant (I3): an answer is believed only with status 200,
// our media type and our protocol; whatever else comes (a captive portal's page, a proxy's error,
// nothing at all) is a NotSent that says how it failed, and the sender keeps everything. It
// follows no redirect and waits no longer than 20 s for one answer.

import {BLOB_BYTES_MAX, MEDIA_TYPE, PROTOCOL} from '../record/operations.js'

const TIMEOUT_MS = 20_000
const GZIP_FROM_BYTES = 400

/** Nothing was said by our server that may be believed. `kind`: offline (no answer), foreign (not
 * ours), reauth (sign in), refused (ours, with `status` and problem `code`). */
export class NotSent extends Error {
  /** @param {'offline'|'foreign'|'reauth'|'refused'} kind @param {string} code @param {number} [status] @param {unknown} [cause] */
  constructor(kind, code, status = 0, cause) {
    super(`not sent: ${kind} ${code}`, {cause})
    this.name = 'NotSent'
    this.kind = kind
    this.code = code
    this.status = status
  }
}

const isOurs = (response, type) =>
  (response.headers.get('Content-Type') ?? '').split(';')[0].trim() === type

async function ask(fetch, url, init) {
  try {
    return await fetch(url, {
      redirect: 'error',
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...init,
      headers: {Accept: `${MEDIA_TYPE}, application/json`, ...init?.headers},
    })
  } catch (error) {
    // The server may or may not have got it: the same id is sent again.
    throw new NotSent('offline', error?.name === 'TimeoutError' ? 'timeout' : 'offline', 0, error)
  }
}

async function bodyOf(response) {
  try {
    return await response.json()
  } catch (error) {
    throw new NotSent(
      error?.name === 'SyntaxError' ? 'foreign' : 'offline',
      'cut_off',
      response.status,
      error,
    )
  }
}

async function refusal(response) {
  const {status} = response
  const ours = isOurs(response, 'application/json')
  const code = ours ? (await bodyOf(response)).problem : ''
  if (typeof code === 'string' && code)
    return new NotSent(code === 'reauth' && status === 401 ? 'reauth' : 'refused', code, status)
  return new NotSent('foreign', status === 200 ? 'not_ours' : `http_${status}`, status)
}

async function believed(response) {
  if (response.status !== 200 || !isOurs(response, MEDIA_TYPE)) throw await refusal(response)
  const answer = await bodyOf(response)
  if (answer?.protocol !== PROTOCOL || typeof answer.server !== 'string' || !answer.server)
    throw new NotSent('foreign', 'not_ours', 200)
  return answer
}

async function gzip(text) {
  const plain = new TextEncoder().encode(text)
  if (plain.length < GZIP_FROM_BYTES || !globalThis.CompressionStream)
    return {body: plain, headers: {}}
  const stream = new Blob([plain]).stream().pipeThrough(new CompressionStream('gzip'))
  return {
    body: new Uint8Array(await new Response(stream).arrayBuffer()),
    headers: {'Content-Encoding': 'gzip'},
  }
}

/** @param {typeof globalThis.fetch} fetch */
export const transport = fetch => {
  let serverTime = null
  const believe = async response => {
    const answer = await believed(response)
    const date = Date.parse(response.headers.get('Date') ?? '')
    serverTime = Number.isNaN(date) ? null : new Date(date)
    return answer
  }
  return {
    /** The server's own time as its last believed answer told it, or null: what is kept for so many
     * days is counted by it, because a phone's clock may jump. @returns {Date|null} */
    serverTime: () => serverTime,

    /** Who is signed in at the server. @returns {Promise<any>} the person @throws {NotSent} `reauth` when nobody is */
    async session() {
      const response = await ask(fetch, '/session')
      if (response.status !== 200 || !isOurs(response, 'application/json'))
        throw await refusal(response)
      const {person} = (await bodyOf(response)) ?? {}
      if (typeof person?.id !== 'string') throw new NotSent('foreign', 'not_ours', 200)
      return person
    },

    /** @param {object} body as in PROTOCOL.md 3, without `protocol` @returns {Promise<any>} the believed answer */
    async push(body) {
      const packed = await gzip(JSON.stringify({protocol: PROTOCOL, ...body}))
      const headers = {
        'Content-Type': MEDIA_TYPE,
        'X-Troskel-Protocol': String(PROTOCOL),
        ...packed.headers,
      }
      return believe(await ask(fetch, '/sync/push', {method: 'POST', body: packed.body, headers}))
    },

    /** @param {string} cursor "" at first @returns {Promise<{answer: any, date: string}>} with the answer's Date header */
    async pull(cursor) {
      const response = await ask(fetch, `/sync/pull?cursor=${encodeURIComponent(cursor)}`)
      return {answer: await believe(response), date: response.headers.get('Date') ?? ''}
    },

    /** How far the upload of a blob has come, as far as can be told. @param {string} sha256 @returns {Promise<number>} bytes */
    async blobOffset(sha256) {
      const response = await ask(fetch, `/sync/blobs/${sha256}`, {method: 'HEAD'})
      const offset = response.status === 200 ? Number(response.headers.get('Upload-Offset')) : 0
      return Number.isSafeInteger(offset) && offset > 0 ? offset : 0
    },

    /** @param {string} sha256 @returns {Promise<boolean>} whether the server needs no byte of this blob any more
     * @throws {NotSent} where it does not say */
    async blobIsThere(sha256) {
      const response = await ask(fetch, `/sync/blobs/${sha256}`, {method: 'HEAD'})
      const offset = response.headers.get('Upload-Offset')
      if (response.status !== 200 || offset === null) throw await refusal(response)
      return Number(offset) === BLOB_BYTES_MAX
    },

    /** One piece of a blob. @param {string} sha256 @param {Uint8Array} piece @param {number} from @param {number} total @param {string} type
     * @returns {Promise<any>} the believed answer: `offset` to go on from, `complete` */
    async blobPut(sha256, piece, from, total, type) {
      const headers = {
        'Content-Type': type,
        'Content-Range': `bytes ${from}-${from + piece.length - 1}/${total}`,
      }
      return believe(
        await ask(fetch, `/sync/blobs/${sha256}`, {method: 'PUT', body: piece, headers}),
      )
    },
  }
}
