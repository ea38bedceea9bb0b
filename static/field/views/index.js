// The pages of a visit. The list of modules is the list of features.

import * as closing from './closing.js'
import * as consents from './consents.js'
import {watchPage} from './controls.js'
import * as photos from './photos.js'
import * as section from './section.js'
import * as tenant from './tenant.js'
import * as visit from './visit.js'
import * as visits from './visits.js'
import * as writing from './writing.js'

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  for (const module of [visits, visit, section, photos, writing, consents, closing, tenant])
    module.register(routes)
  if (globalThis.document) watchPage(document)
}
