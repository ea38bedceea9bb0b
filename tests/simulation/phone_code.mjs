// The shipped code of static/field as a function: its arguments are the globals of a browser, so that
// each life of a phone runs it anew with globals of its own.

import {fileURLToPath} from 'node:url'

import {buildSync} from 'esbuild'

const field = fileURLToPath(new URL('../../static/field/', import.meta.url))
const ENTRY = `
export {openStore} from './store/store.js'
export * as outbox from './store/outbox.js'
export {startSync} from './sync/schedule.js'
export * as replay from './record/replay.js'
export {localCanary} from './store/canary.js'`
const bundled = buildSync({
  stdin: {contents: ENTRY, resolveDir: process.env.SIMULATED_FIELD ?? field},
  bundle: true,
  write: false,
  format: 'iife',
  globalName: 'made',
  target: 'es2022',
})
const CODE = `${bundled.outputFiles[0].text}\nreturn made`
export const IDB_NAMES = [
  'IDBCursor',
  'IDBCursorWithValue',
  'IDBDatabase',
  'IDBFactory',
  'IDBIndex',
  'IDBKeyRange',
  'IDBObjectStore',
  'IDBOpenDBRequest',
  'IDBRequest',
  'IDBTransaction',
  'IDBVersionChangeEvent',
]
export const NAMES = [
  'globalThis',
  'window',
  'document',
  'navigator',
  'indexedDB',
  'crypto',
  'Date',
  'Math',
  'fetch',
  'setTimeout',
  'clearTimeout',
  'AbortSignal',
  'localStorage',
  'caches',
  'CompressionStream',
  'Blob',
  'Response',
  'console',
  ...IDB_NAMES,
]
export const makeCode = new Function(...NAMES, CODE)
