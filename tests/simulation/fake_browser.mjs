// What a simulated phone takes for its browser: chance from a seed, hashes, blobs, answers, storage.
// Everything is synchronous underneath, so that no thread decides the order of things.

import {createHash} from 'node:crypto'
import {gzipSync} from 'node:zlib'

/** Numbers from a seed (mulberry32). */
export function chance(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export const sha256 = bytes => createHash('sha256').update(bytes).digest()
export const plain = bytes =>
  ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes)
export const cryptoOf = random => ({
  subtle: {digest: async (name, bytes) => new Uint8Array(sha256(plain(bytes))).buffer},
  getRandomValues: array => {
    for (let i = 0; i < array.length; i++) array[i] = Math.floor(random() * 256)
    return array
  },
})

class Packing {
  constructor(bytes) {
    this.bytes = bytes
  }
}
export class FakeBlob {
  constructor(parts) {
    this.bytes = Buffer.concat(parts.map(one => Buffer.from(plain(one))))
  }
  stream() {
    return {pipeThrough: () => new Packing(gzipSync(this.bytes))}
  }
}
export class FakeResponse {
  constructor(body) {
    this.body = body
  }
  async arrayBuffer() {
    return new Uint8Array(this.body.bytes).buffer
  }
}

export class Answer {
  constructor({status, headers, body}) {
    this.status = status
    this.ok = status >= 200 && status < 300
    this.headers = new Headers(headers)
    this.raw = Buffer.from(body ?? '', 'base64')
  }
  async text() {
    return this.raw.toString('utf8')
  }
  async json() {
    return JSON.parse(this.raw.toString('utf8'))
  }
  async arrayBuffer() {
    return new Uint8Array(this.raw).buffer
  }
}

export class MemoryStorage {
  kept = new Map()
  getItem(key) {
    return this.kept.get(key) ?? null
  }
  setItem(key, text) {
    this.kept.set(key, String(text))
  }
}
