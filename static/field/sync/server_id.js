// Whether an answer comes from the server this phone works with.

import {drop, metaChange, put} from '../store/rows.js'
import {offerAgain} from './retention.js'
import {NotSent} from './transport.js'

/**
 * Trust the server that answered, or throw. Another server is trusted only after somebody has
 * signed in to it; then everything this phone holds is offered to it.
 * @param {import('../store/store.js').Store} store @param {string} server its id
 * @throws {NotSent} `other_server`
 */
export const checkServerId = (store, server) =>
  store.update(memory => {
    const known = memory.meta.get('server')?.value
    const isNew = memory.meta.has('new_server')
    if (known === server) return isNew ? [drop('meta', 'new_server')] : []
    if (known && !isNew) throw new NotSent('foreign', 'other_server', 200)
    const cursors = [...memory.meta.keys()].filter(id => /^(cursor|backup) /.test(id))
    const stale = [...memory.visits.values()].map(one => put('visits', {...one, stale: true}))
    const anew = [...offerAgain(memory), ...stale, ...cursors.map(id => drop('meta', id))]
    return [metaChange('server', server), drop('meta', 'new_server'), ...(known ? anew : [])]
  })
