// Space held back on a phone that gets full: written while there is plenty, deleted to finish a
// save when there is none (docs/browsers.md 1.1; the quota a browser names overstates what the phone
// has). Invariant: a failure here fails nothing else. It lies in the Cache API, so that deleting it
// touches no database.

const NAME = 'troskel-ballast'
const BYTES = 20e6
const PLENTY = 10 // written only where this many times as much is free

/** @typedef {{drop(): Promise<boolean>}} Ballast `drop` tells whether there was one */

/** @returns {Ballast} this browser's */
export const browserBallast = () => ({
  drop: async () => (await globalThis.caches?.delete(NAME).catch(() => false)) ?? false,
})

/**
 * Write the ballast unless it is there or space is short already. Never throws.
 * @param {{quota?: number, usage?: number}} space in bytes
 * @returns {Promise<boolean>} whether it is there
 */
export async function keepBallast({quota = 0, usage = 0}) {
  try {
    if (await caches.has(NAME)) return true
    const size = Math.min(BYTES, Math.floor((quota - usage) / PLENTY))
    if (size <= 0) return false
    // Random, because a disk may store zeros for nothing.
    const grain = crypto.getRandomValues(new Uint8Array(65_536))
    const parts = Array.from({length: Math.ceil(size / grain.length)}, () => grain)
    await (await caches.open(NAME)).put('/ballast', new Response(new Blob(parts)))
    return true
  } catch {
    await browserBallast().drop()
    return false
  }
}
