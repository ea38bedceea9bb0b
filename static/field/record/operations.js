// One operation: its exact bytes. Invariant: the same envelope gives the same bytes, keys in the
// protocol's order and no spaces (PROTOCOL.md 1). What the server could only hold is an error here:
// an unknown kind, a null, too many bytes. Kinds and limits are written by the build from the
// server's own (build/constants.js).

import {KINDS, OPERATION_BYTES_MAX} from '../../build/constants.js'

/** @import {Operation, Subject} from './shapes.d.ts' */

/**
 * kind → the version of its data that this app writes, where it is above 1.
 * @type {Record<string, number>}
 */
const VERSIONS = {}

/**
 * The bytes of a new operation, as text.
 * @param {Omit<Operation, 'v'>} envelope
 * @returns {string}
 * @throws {RangeError} for a kind this app does not know, a null in the data, or too many bytes
 */
export function encode({id, kind, subject, by, device, device_seq, at, base, data}) {
  if (!Object.hasOwn(KINDS, kind)) throw new RangeError(`no kind ${kind}`)
  const text = JSON.stringify(
    {
      id,
      v: VERSIONS[kind] ?? 1,
      kind,
      subject: {type: subject.type, id: subject.id},
      by,
      device,
      device_seq,
      at,
      base,
      data,
    },
    refuseNothing,
  )
  const size = new TextEncoder().encode(text).length
  if (size > OPERATION_BYTES_MAX) throw new RangeError(`${kind} has ${size} bytes`)
  return text
}

/** @param {string} key @param {unknown} value */
function refuseNothing(key, value) {
  // JSON.stringify would drop an undefined silently, and write NaN as null.
  if (value === null || value === undefined || Number.isNaN(value))
    throw new RangeError(`nothing in ${key}`)
  return value
}

/** The visit an operation is about, or "" for a counter. @param {{subject: Subject}} operation */
export const visitOf = ({subject}) => (subject.type === 'visit' ? subject.id : '')

/**
 * Hashes of the blobs an operation names.
 * @param {{data: {signature?: string, photo?: string}}} operation @returns {string[]}
 */
export const blobsOf = ({data}) => [data.signature ?? '', data.photo ?? ''].filter(Boolean)

/**
 * A device's own time, with its offset: "2026-11-22T14:05:11+01:00".
 * @param {Date} date @returns {string}
 */
export function localIso(date) {
  const minutes = -date.getTimezoneOffset()
  /** @param {number} number */
  const two = number => String(Math.floor(Math.abs(number))).padStart(2, '0')
  const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, 19)
  return `${local}${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}
