// Requests from phone to server. Invariant (I3): an answer is trusted only with status 200, our
// media type and our protocol; whatever else comes (a captive portal's page, a proxy's error,
// nothing at all) is a NotSent that says how it failed, and the sender keeps everything. Redirects
// are not followed, and no answer is waited for longer than 20 s.

import {BLOB_BYTES_MAX, MEDIA_TYPE, PROTOCOL} from '../../build/constants.js'

/** @import {PullAnswer, PushAnswer} from '../record/shapes.d.ts' */

const TIMEOUT_MS = 20_000
const GZIP_FROM_BYTES = 400

/**
 * No answer of our server that may be trusted. `kind`: offline (no answer), foreign (not ours),
 * reauth (sign in), refused (ours, with `status` and problem `code`).
 */
export class NotSent extends Error {
  /**
   * @param {'offline'|'foreign'|'reauth'|'refused'} kind @param {string} code
   * @param {number} [status] @param {unknown} [cause]
   */
  constructor(kind, code, status = 0, cause) {
    super(`not sent: ${kind} ${code}`, {cause})
    this.name = 'NotSent'
    this.kind = kind
    this.code = code
    this.status = status
  }
}

/** @param {Response} response @param {string} type */
const isOurs = (response, type) =>
  (response.headers.get('Content-Type') ?? '').split(';')[0].trim() === type

/**
 * @param {typeof globalThis.fetch} fetch @param {string} url @param {RequestInit} [init]
 * @throws {NotSent} `offline`
 */
async function request(fetch, url, init) {
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
    // The server may or may not have received it: the same id is sent again.
    throw new NotSent('offline', error?.name === 'TimeoutError' ? 'timeout' : 'offline', 0, error)
  }
}

/** @param {Response} response @returns {Promise<any>} @throws {NotSent} */
async function bodyOf(response) {
  try {
    return await response.json()
  } catch (error) {
    const kind = error?.name === 'SyntaxError' ? 'foreign' : 'offline'
    throw new NotSent(kind, 'cut_off', response.status, error)
  }
}

/** @param {Response} response @returns {Promise<NotSent>} */
async function refusal(response) {
  const {status} = response
  const ours = isOurs(response, 'application/json')
  const code = ours ? (await bodyOf(response)).problem : ''
  if (typeof code === 'string' && code)
    return new NotSent(code === 'reauth' && status === 401 ? 'reauth' : 'refused', code, status)
  return new NotSent('foreign', status === 200 ? 'not_ours' : `http_${status}`, status)
}

/**
 * The answer, if it is ours. @param {Response} response @returns {Promise<any>} @throws {NotSent}
 */
async function trusted(response) {
  if (response.status !== 200 || !isOurs(response, MEDIA_TYPE)) throw await refusal(response)
  const answer = await bodyOf(response)
  if (answer?.protocol !== PROTOCOL || typeof answer.server !== 'string' || !answer.server)
    throw new NotSent('foreign', 'not_ours', 200)
  return answer
}

/** @param {string} text @returns {Promise<{body: BodyInit, headers: Record<string, string>}>} */
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

/** @typedef {ReturnType<typeof transport>} Transport */

/** @param {typeof globalThis.fetch} fetch */
export const transport = fetch => {
  /** @type {Date|null} */
  let serverTime = null
  const answerOf = async (/** @type {Response} */ response) => {
    const answer = await trusted(response)
    const date = Date.parse(response.headers.get('Date') ?? '')
    serverTime = Number.isNaN(date) ? null : new Date(date)
    return answer
  }
  return {
    /**
     * The server's clock, from its last trusted answer, or null. The days for which something is
     * kept are counted by it, because a phone's clock may jump. @returns {Date|null}
     */
    serverTime: () => serverTime,

    /**
     * Who is signed in at the server.
     * @returns {Promise<{id: string}>} @throws {NotSent} `reauth` when nobody is
     */
    async session() {
      const response = await request(fetch, '/session')
      if (response.status !== 200 || !isOurs(response, 'application/json'))
        throw await refusal(response)
      const {person} = (await bodyOf(response)) ?? {}
      if (typeof person?.id !== 'string') throw new NotSent('foreign', 'not_ours', 200)
      return person
    },

    /** @param {object} body as in PROTOCOL.md 3, without `protocol` @returns {Promise<PushAnswer>} */
    async push(body) {
      const packed = await gzip(JSON.stringify({protocol: PROTOCOL, ...body}))
      const headers = {
        'Content-Type': MEDIA_TYPE,
        'X-Troskel-Protocol': String(PROTOCOL),
        ...packed.headers,
      }
      const init = {method: 'POST', body: packed.body, headers}
      return answerOf(await request(fetch, '/sync/push', init))
    },

    /**
     * @param {string} cursor "" at first
     * @returns {Promise<{answer: PullAnswer, date: string}>} with the answer's Date header
     */
    async pull(cursor) {
      const response = await request(fetch, `/sync/pull?cursor=${encodeURIComponent(cursor)}`)
      return {answer: await answerOf(response), date: response.headers.get('Date') ?? ''}
    },

    /**
     * How far the upload of a blob has come; 0 where the server does not say.
     * @param {string} sha256 @returns {Promise<number>} bytes
     */
    async blobOffset(sha256) {
      const response = await request(fetch, `/sync/blobs/${sha256}`, {method: 'HEAD'})
      const offset = response.status === 200 ? Number(response.headers.get('Upload-Offset')) : 0
      return Number.isSafeInteger(offset) && offset > 0 ? offset : 0
    },

    /**
     * Whether the server needs no byte of this blob any more.
     * @param {string} sha256 @returns {Promise<boolean>} @throws {NotSent} where it does not say
     */
    async blobIsThere(sha256) {
      const response = await request(fetch, `/sync/blobs/${sha256}`, {method: 'HEAD'})
      const offset = response.headers.get('Upload-Offset')
      if (response.status !== 200 || offset === null) throw await refusal(response)
      return Number(offset) === BLOB_BYTES_MAX
    },

    /**
     * Send one piece of a blob.
     * @param {string} sha256 @param {Uint8Array<ArrayBuffer>} piece @param {number} from
     * @param {number} total @param {string} type
     * @returns {Promise<{server: string, offset: number, complete: boolean, seq?: number}>}
     *   `offset`: where to go on
     */
    async blobPut(sha256, piece, from, total, type) {
      const headers = {
        'Content-Type': type,
        'Content-Range': `bytes ${from}-${from + piece.length - 1}/${total}`,
      }
      const init = {method: 'PUT', body: piece, headers}
      return answerOf(await request(fetch, `/sync/blobs/${sha256}`, init))
    },
  }
}
