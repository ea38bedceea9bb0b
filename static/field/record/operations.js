// One operation: its exact bytes, and what the phone must know of each kind. Invariant: the same
// envelope gives the same bytes, keys in the protocol's order and no spaces (PROTOCOL.md 1). What
// the server could only hold is an error here: an unknown kind, a null, too many bytes.

/** @import {Operation, Subject} from './shapes.d.ts' */

export const PROTOCOL = 1
export const MEDIA_TYPE = 'application/vnd.troskel.sync+json'
export const OPERATION_BYTES_MAX = 16 * 1024
export const BATCH_OPERATIONS_MAX = 500
export const RIDING_BLOB_BYTES_MAX = 16 * 1024
export const BLOB_BYTES_MAX = 12 * 1024 * 1024
export const PENDING = 2 ** 52

/** @param {string[]} fields */
const content = fields => ({v: 1, content: true, fields})
/** @param {string[]} fields */
const other = fields => ({v: 1, content: false, fields})

/**
 * kind → version, whether a review looks at it, and the names of its data (twin of KINDS in
 * sync/kinds.py; a test compares them).
 * @type {Record<string, {v: number, content: boolean, fields: string[]}>}
 */
export const KINDS = {
  'visit.plan': other(['tenancy', 'kind']),
  'visit.assign': other(['visitors', 'date', 'time']),
  'visit.open': other(['tenancy', 'kind', 'language']),
  'visit.language': content(['language']),
  'visit.answer': content(['item', 'answer', 'guide', 'language']),
  'visit.tick': content(['section', 'answers', 'guide', 'language']),
  'visit.note': content(['item', 'text']),
  'visit.photo': content(['item', 'photo']),
  'visit.follow_up': content(['item', 'queue', 'urgency', 'text']),
  'visit.attempt': content(['outcome', 'date', 'time']),
  'visit.consent': content([
    'purpose',
    'decision',
    'text_key',
    'text_version',
    'text_sha256',
    'text_state',
    'language',
    'recipient',
    'given_by',
    'method',
    'attested',
    'signature',
    'interpreter',
    'expires',
  ]),
  'visit.withdraw': other(['purpose', 'channel']),
  'visit.retract': content(['operation']),
  'visit.close': content(['let_go', 'read_back']),
  'visit.reopen': content([]),
  'visit.approve': other(['comment']),
  'visit.return': other(['points']),
  'visit.cancel': other(['reason']),
  'visit.choose': other(['field', 'value']),
  'follow_up.answer': other(['follow_up', 'text', 'done']),
  'tally.count': other(['day', 'area', 'topic', 'value']),
}

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
      v: KINDS[kind].v,
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
