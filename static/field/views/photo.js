// A photo of a fault, from the camera to bytes that may be stored. The bytes do not go through htmx
// (a form carries strings and would lose them): the page holds them under their hash, the form
// carries the hash, and the handler takes them when it saves. Invariant: what is held was drawn
// anew, small and without the camera's metadata; where this phone cannot draw it, the picture is
// held as it came, because the server draws it anew too. Other files are not held.

/** @typedef {{blob(sha256: string): Promise<{type: string, bytes: ArrayBuffer}|null>}} Pictures */

import {BLOB_BYTES_MAX} from '../../build/constants.js'
import {sha256} from '../record/ids.js'

const SIDE_MAX = 1600
const QUALITY = 0.7
const ROOM_MIN = 80e6 // below it, text and consents alone are taken (docs/browsers.md 1.1)
/** @type {Map<string, {type: string, bytes: ArrayBuffer}>} by hash, until it is stored */
const held = new Map()
/** @type {Map<string, string>} hash → address of a stored picture, while the page lives */
const shown = new Map()

/**
 * A picture as a JPEG of at most SIDE_MAX pixels a side, upright and without metadata; null where
 * this phone cannot draw it.
 * @param {ArrayBuffer} bytes @returns {Promise<ArrayBuffer|null>}
 */
async function drawn(bytes) {
  const canvas = document.createElement('canvas')
  try {
    const picture = await createImageBitmap(new Blob([bytes]), {imageOrientation: 'from-image'})
    const scale = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height))
    canvas.width = Math.max(1, Math.round(picture.width * scale))
    canvas.height = Math.max(1, Math.round(picture.height * scale))
    const context = canvas.getContext('2d')
    if (!context) return null
    context.fillStyle = '#fff'
    context.fillRect(0, 0, canvas.width, canvas.height)
    context.drawImage(picture, 0, 0, canvas.width, canvas.height)
    picture.close()
    /** @type {Blob|null} */
    const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', QUALITY))
    return blob?.type === 'image/jpeg' ? await blob.arrayBuffer() : null
  } catch {
    return null
  } finally {
    // Or the browser keeps the pixels until it is short of memory (docs/browsers.md 1.5).
    canvas.width = canvas.height = 0
  }
}

/** @param {ArrayBuffer} bytes @param {number} from @param {number} to */
const ascii = (bytes, from, to) => String.fromCharCode(...new Uint8Array(bytes.slice(from, to)))

/**
 * The type that the bytes themselves show, "" for none we take.
 * @param {ArrayBuffer} bytes @returns {string}
 */
export function typeOf(bytes) {
  if (ascii(bytes, 0, 3) === '\xff\xd8\xff') return 'image/jpeg'
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png'
  return ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP' ? 'image/webp' : ''
}

/**
 * Hold a chosen picture for the handler.
 * @param {Blob} file @returns {Promise<string>} its hash, "" where it cannot be used
 */
export async function holdPhoto(file) {
  const original = await file.arrayBuffer() // at once: a camera's file may be gone later
  if (!typeOf(original)) return ''
  const bytes = (await drawn(original)) ?? original
  if (bytes.byteLength > BLOB_BYTES_MAX) return ''
  const hash = await sha256(bytes)
  held.set(hash, {type: typeOf(bytes), bytes})
  return hash
}

/** It is stored now. @param {string} hash */
export const releasePhoto = hash => held.delete(hash)

/**
 * What is held under a hash.
 * @param {string} hash @returns {{type: string, bytes: ArrayBuffer}|undefined}
 */
export const heldPhoto = hash => held.get(hash)

/**
 * Whether there is room for pictures: where a browser does not say, there is.
 * @param {{quota?: number, usage?: number}} space in bytes
 */
export const hasRoom = ({quota = Infinity, usage = 0}) => quota - usage > ROOM_MIN

/**
 * Photos with the addresses of those pictures that are on this phone.
 * @param {Pictures} store @template T
 * @param {Array<T & {photo: string, retracted: boolean}>} photos @returns {Promise<T[]>}
 */
export const withPictures = (store, photos) =>
  Promise.all(photos.map(async one => ({...one, source: await sourceOf(store, one)})))

/**
 * @param {Pictures} store @param {{photo: string, retracted: boolean}} one
 * @returns {Promise<string>} "" where the picture is not on this phone
 */
async function sourceOf(store, {photo, retracted}) {
  const blob = retracted ? null : await store.blob(photo)
  const known = shown.get(photo)
  if (!blob) {
    if (known) URL.revokeObjectURL(known)
    shown.delete(photo)
    return ''
  }
  const source = known ?? URL.createObjectURL(new Blob([blob.bytes], {type: blob.type}))
  shown.set(photo, source)
  return source
}
