// One item of the guide on the page of its section: what every answer to it returns.

/** @typedef {import('../models/view_texts.js').View} View */
/** @typedef {import('./context.js').VisitScene} VisitScene */
/** @typedef {import('./context.js').NoVisit} NoVisit */
/** @typedef {import('../store/store.js').Store} Store */

import {sectionView} from '../models/view_models.js'
import {fragment} from '../page/router.js'
import {pictograms} from '../pictograms.js'
import {uuid7} from '../record/ids.js'
import {views} from './context.js'
import {withPictures} from './photo.js'

/** @import {Call} from '../page/shapes.d.ts' */

/**
 * A section with what its page adds to each item: a counter carries its own operation, a photo its
 * picture.
 * @param {View} section @param {Store} store @param {string} [counted] the item just counted
 * @returns {Promise<View>}
 */
export const withPageFields = async (section, store, counted = '') => ({
  ...section,
  rows: await Promise.all(
    section.rows.map(async (/** @type {View} */ item) => ({
      ...item,
      operation: item.tally ? uuid7() : '',
      counted: item.key === counted,
      photos: await withPictures(store, item.photos),
    })),
  ),
})

/**
 * An item after something was saved about it, with its section's bar.
 * @param {Call} call @param {VisitScene|NoVisit} scene as it is now @param {string} key of the item
 * @param {string} [counted] the item just counted
 */
export async function answered({store}, scene, key, counted = '') {
  if (scene.failed) return scene.failed
  const section = await withPageFields(
    sectionView(...views(scene), scene.packs.sv.items[key].section),
    store,
    counted,
  )
  return fragment('field/answered.html', {
    item: section.rows.find((/** @type {View} */ one) => one.key === key),
    section,
    url: scene.url,
    operation: uuid7(),
    pictograms,
  })
}
