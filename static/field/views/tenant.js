// The turned screen: one thing, big, in the tenant's own language and direction, without the app
// around it. It is an address like any other, so Back works. Read aloud by a voice on the phone
// itself only, and never for a consent: a voice might skip what a yes depends on.

/** @typedef {import('../models/view_texts.js').View} View */
/** @typedef {import('./context.js').VisitScene} VisitScene */
/** @typedef {import('../i18n.js').I18n} I18n */
/** @typedef {{text: string, lang: string, dir: string}} Text */

import {
  consentView,
  languageView,
  noticeView,
  ORIGINAL,
  sectionView,
  visitView,
} from '../models/view_models.js'
import {page, redirect} from '../page/router.js'
import {pictograms} from '../pictograms.js'
import {openVisit, views} from './context.js'
import {recipientShown} from './recipient.js'

/** @import {Call} from '../page/shapes.d.ts' */

/**
 * The texts of one `name` in a view, the tenant's own or the Swedish in its place.
 * @param {View} view @param {string} name @returns {Text}
 */
const tenantText = (view, name) => ({
  text: view[`${name}_tenant`] || view[name],
  lang: view[`${name}_tenant_lang`],
  dir: view[`${name}_tenant_dir`],
})
/** @param {View} view @param {string} name @returns {Text} */
const staffText = (view, name) => ({
  text: view[name],
  lang: view[`${name}_lang`],
  dir: view[`${name}_dir`],
})

/** @param {View} view @param {string} name */
const unreviewed = (view, name) => view[`${name}_machine`] || view[`${name}_translated`]

/**
 * A mark in the tenant's language that a text is not reviewed, or not in that language at all.
 * @param {VisitScene} scene @param {View} view @param {string} name
 */
function markOf(scene, view, name) {
  const own = scene.packs[scene.languages.tenant]?.texts ?? scene.packs.sv.texts
  if (view[`${name}_missing`]) return own['label.shown_in_swedish'] ?? ''
  if (view[`${name}_machine`]) return own['label.machine'] ?? ''
  return view[`${name}_translated`] ? (own['label.translated'] ?? '') : ''
}

/**
 * The turned screen.
 * @param {VisitScene} scene @param {I18n} i18n
 * @param {{heading: Text, pictogram?: string, texts: Text[], mark?: string, back: string,
 *   aloud?: boolean, recording?: string}} shown
 */
function turned(
  scene,
  i18n,
  {heading, pictogram = '', texts, mark = '', back, aloud = true, recording = ''},
) {
  const facts = JSON.stringify(scene.file.settings)
  const tenant = languageView(scene.languages.tenant)
  return page('field/tenant.html', {
    title: heading.text,
    heading,
    pictogram,
    pictograms,
    mark,
    texts: texts.filter(one => one.text),
    back,
    aloud,
    recording,
    facts,
    staff: {tag: i18n.language, dir: i18n.direction},
    lang: tenant.tag,
    dir: tenant.dir,
    screen: 'tenant',
  })
}

/** @param {Call} call */
async function item(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const key = call.query.get('item') ?? ''
  const section = Object.hasOwn(scene.packs.sv.items, key) ? scene.packs.sv.items[key].section : ''
  if (!section) return redirect(scene.url)
  // Beside the Swedish, whatever the visitor reads: another translation would be no original.
  const original = {...scene, languages: {...scene.languages, staff: ORIGINAL}}
  const row = sectionView(...views(original), section).rows.find(
    (/** @type {View} */ one) => one.key === key,
  )
  return turned(scene, call.i18n, {
    heading: tenantText(row, 'label'),
    pictogram: row.pictogram,
    // Law and fire: a text nobody has reviewed never stands without the Swedish it came from.
    texts: [
      tenantText(row, 'explain'),
      ...(row.critical && unreviewed(row, 'explain') ? [staffText(row, 'explain')] : []),
    ],
    mark: markOf(scene, row, 'explain'),
    back: `${scene.url}/s/${section}?at=${key}`,
    recording: key,
  })
}

/** @param {Call} call */
async function section(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const key = call.query.get('section') ?? ''
  if (!scene.packs.sv.sections.some(one => one.key === key)) return redirect(scene.url)
  const view = sectionView(...views(scene), key)
  return turned(scene, call.i18n, {
    heading: tenantText(view, 'heading'),
    texts: view.rows.map((/** @type {View} */ row) => tenantText(row, 'label')),
    back: `${scene.url}/s/${key}`,
  })
}

/** @param {Call} call */
async function consent(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const purpose = call.query.get('purpose') ?? ''
  const found = visitView(...views(scene)).consents.find(
    (/** @type {View} */ one) => one.purpose === purpose,
  )
  if (!found) return redirect(`${scene.url}/consents`)
  const recipient = recipientShown(call.params.id, purpose, found.recipient)
  const view = consentView(
    scene.file,
    scene.packs,
    scene.languages,
    scene.people,
    purpose,
    recipient,
  )
  return turned(scene, call.i18n, {
    heading: tenantText(view, 'heading'),
    texts: [tenantText(view, 'text')],
    mark: markOf(scene, view, 'text'),
    back: `${scene.url}/consents/${purpose}`,
    aloud: false, // a yes depends on every word: a person's voice, or none
    recording: purpose,
  })
}

/** @param {Call} call */
async function notice(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const wanted = call.query.get('notice') ?? ''
  const parts = noticeView(scene.file, scene.packs, scene.languages, wanted)
  if (parts.length === 0) return redirect(scene.url)
  const [heading, ...texts] = parts.map(part => tenantText(part, 'text'))
  return turned(scene, call.i18n, {
    heading,
    texts,
    mark: markOf(scene, parts[0], 'text'),
    back: scene.url,
    recording: `notice.${wanted}`,
  })
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/visits/:id/tenant/item', item)
  routes.add('GET', '/field/visits/:id/tenant/section', section)
  routes.add('GET', '/field/visits/:id/tenant/consent', consent)
  routes.add('GET', '/field/visits/:id/tenant/notice', notice)
}
