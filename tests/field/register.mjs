// Lets Node find the one library that the phone's code imports by the address it has in a browser
// (static/vendor is installed there by the build).

import {register} from 'node:module'
import {isMainThread} from 'node:worker_threads'

if (isMainThread) register(import.meta.url)

export const resolve = (specifier, context, next) =>
  specifier === '../../vendor/idb.js'
    ? next('idb', {...context, parentURL: import.meta.url})
    : next(specifier, context)
