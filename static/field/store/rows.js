// The form of the rows in the phone's database, behind one seal/open pair. Invariant: readable
// without `open` are only who, which visit and a hash; content is in `bytes`, an ArrayBuffer (never
// a Blob: docs/browsers.md 1.2). The pair is the identity today: rows are NOT encrypted yet, and the
// phone's lock is what protects them.

import {sha256} from '../record/ids.js'

/** @import {Change, StoreName} from '../record/shapes.d.ts' */

/** The stores, each keyed by `id`. Upgrades only ever add to this list. @type {StoreName[]} */
export const STORES = ['meta', 'outbox', 'receipts', 'visits', 'blobs']

/**
 * Place for encryption; to be called before a transaction begins, never inside one.
 * @param {ArrayBuffer} bytes @returns {Promise<ArrayBuffer>}
 */
export const seal = async bytes => bytes

/** @param {ArrayBuffer} bytes @returns {Promise<ArrayBuffer>} */
export const open = async bytes => bytes

const encoder = new TextEncoder()
// ignoreBOM: a text that begins with U+FEFF must keep it, or its hash would change.
const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true})

/** @param {string} text @returns {ArrayBuffer} */
export const bytesOf = text => encoder.encode(text).buffer
/** @param {BufferSource} bytes @returns {string} @throws {TypeError} where they are not UTF-8 */
export const textOf = bytes => decoder.decode(bytes)

/** @param {ArrayBuffer} bytes @returns {string} */
export const base64Of = bytes =>
  btoa(Array.from(new Uint8Array(bytes), byte => String.fromCharCode(byte)).join(''))

/**
 * The row that stands for `value` in `store`.
 * @param {StoreName} store @param {any} value @returns {Promise<any>}
 */
export async function rowOf(store, value) {
  switch (store) {
    case 'meta':
      return {id: value.id, bytes: await seal(bytesOf(JSON.stringify(value.value)))}
    case 'outbox':
      return {
        id: value.id,
        by: value.by,
        visit: value.visit,
        sha256: value.sha256,
        bytes: await seal(bytesOf(value.text)),
      }
    case 'visits': {
      const {id, by, visit, ...rest} = value
      return {id, by, visit, bytes: await seal(bytesOf(JSON.stringify(rest)))}
    }
    case 'blobs':
      return {...value, bytes: await seal(value.bytes)}
    default:
      return value
  }
}

/**
 * The value a row stands for. A row of the outbox that can no longer be read keeps its place, with
 * no operation: it must be shown, not left out.
 * @param {StoreName} store @param {any} row @returns {Promise<any>}
 */
export async function valueOfRow(store, row) {
  switch (store) {
    case 'meta':
      return {id: row.id, value: JSON.parse(textOf(await open(row.bytes)))}
    case 'outbox': {
      const {id, by, visit, sha256: hash} = row
      try {
        const text = textOf(await open(row.bytes))
        return {id, by, visit, sha256: hash, text, operation: JSON.parse(text)}
      } catch {
        return {id, by, visit, sha256: hash, text: '', operation: null}
      }
    }
    case 'visits':
      return {
        id: row.id,
        by: row.by,
        visit: row.visit,
        ...JSON.parse(textOf(await open(row.bytes))),
      }
    case 'blobs':
      return {...row, bytes: await open(row.bytes)}
    default:
      return row
  }
}

/**
 * A change of one value that is there once.
 * @param {string} id @param {any} value @returns {Change}
 */
export const metaChange = (id, value) => ({put: 'meta', value: {id, value}})

/**
 * Whether a value still is what was saved.
 * @param {string} text @param {string} hash @returns {Promise<boolean>}
 */
export const isIntact = async (text, hash) => (await sha256(bytesOf(text))) === hash

/** A change that puts a value into a store. @param {StoreName} store @param {any} value @returns {Change} */
export const put = (store, value) => ({put: store, value})

/** A change that removes a value from a store. @param {StoreName} store @param {string} id @returns {Change} */
export const drop = (store, id) => ({drop: store, id})
