// Ids of things made on the phone: UUIDv7 for operations, UUIDv4 for subjects. Invariant: every id
// has the one lower-case form the server reads. A visit's id holds no time, because such ids stand
// in addresses (docs/design.md 5.5).

/** @param {Uint8Array} bytes */
const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

/**
 * @param {Uint8Array} bytes of which there are 16 @param {number} version of UUID @returns {string}
 */
function shape(bytes, version) {
  bytes[6] = (bytes[6] & 0x0f) | (version << 4)
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const text = hex(bytes)
  return [
    text.slice(0, 8),
    text.slice(8, 12),
    text.slice(12, 16),
    text.slice(16, 20),
    text.slice(20),
  ].join('-')
}

/** A random id (RFC 9562, version 4). @returns {string} */
export const uuid4 = () => shape(crypto.getRandomValues(new Uint8Array(16)), 4)

/** An id that begins with its time (RFC 9562, version 7).
 * @param {number} [now] milliseconds since 1970 @returns {string} */
export function uuid7(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256
  return shape(bytes, 7)
}

/**
 * The id of the `n`-th further operation of a tap whose first one is `first`: always the same, so
 * that a form sent twice makes the same operations. It keeps the time of the first one.
 * @param {string} first @param {number} n @returns {Promise<string>}
 */
export async function uuid7After(first, n) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${first} ${n}`))
  const bytes = new Uint8Array(digest).slice(0, 16)
  const time = first.replaceAll('-', '').slice(0, 12)
  for (let i = 0; i < 6; i++) bytes[i] = Number.parseInt(time.slice(2 * i, 2 * i + 2), 16)
  return shape(bytes, 7)
}

/** 32 random bytes in hex: what proves to the server that it is this phone. @returns {string} */
export const newKey = () => hex(crypto.getRandomValues(new Uint8Array(32)))

/** SHA-256 as lower-case hex. @param {BufferSource} bytes @returns {Promise<string>} */
export const sha256 = async bytes =>
  hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
