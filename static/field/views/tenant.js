// The turned screen: one thing, big, in the tenant's own language and direction, nothing of the
// app round it. It is an address like any other, so Back works. Read aloud only where the phone
// itself has the voice, and never for a consent: a voice might skip what a yes depends on.

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

/** The texts of one `name` in a view, the tenant's own or what stands in for it. */
const said = (view, name) => ({
  text: view[`${name}_tenant`] || view[name],
  lang: view[`${name}_tenant_lang`],
  dir: view[`${name}_tenant_dir`],
})
const staffSaid = (view, name) => ({
  text: view[name],
  lang: view[`${name}_lang`],
  dir: view[`${name}_dir`],
})

const unreviewed = (view, name) => view[`${name}_machine`] || view[`${name}_translated`]

/** A mark in the tenant's language that a text is not reviewed, or not in that language at all. */
function markOf(scene, view, name) {
  const own = scene.packs[scene.languages.tenant]?.texts ?? scene.packs.sv.texts
  if (view[`${name}_missing`]) return own['label.shown_in_swedish'] ?? ''
  if (view[`${name}_machine`]) return own['label.machine'] ?? ''
  return view[`${name}_translated`] ? (own['label.translated'] ?? '') : ''
}

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

async function item(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const key = call.query.get('item') ?? ''
  const section = Object.hasOwn(scene.packs.sv.items, key) ? scene.packs.sv.items[key].section : ''
  if (!section) return redirect(scene.url)
  // Beside the Swedish, whatever the visitor reads: another translation would be no original.
  const original = {...scene, languages: {...scene.languages, staff: ORIGINAL}}
  const row = sectionView(...views(original), section).rows.find(one => one.key === key)
  return turned(scene, call.i18n, {
    heading: said(row, 'label'),
    pictogram: row.pictogram,
    // Law and fire: a text nobody has reviewed never stands without the Swedish it came from.
    texts: [
      said(row, 'explain'),
      ...(row.critical && unreviewed(row, 'explain') ? [staffSaid(row, 'explain')] : []),
    ],
    mark: markOf(scene, row, 'explain'),
    back: `${scene.url}/s/${section}?at=${key}`,
    recording: key,
  })
}

async function section(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const key = call.query.get('section') ?? ''
  if (!scene.packs.sv.sections.some(one => one.key === key)) return redirect(scene.url)
  const view = sectionView(...views(scene), key)
  return turned(scene, call.i18n, {
    heading: said(view, 'heading'),
    texts: view.rows.map(row => said(row, 'label')),
    back: `${scene.url}/s/${key}`,
  })
}

async function consent(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const purpose = call.query.get('purpose') ?? ''
  const found = visitView(...views(scene)).consents.find(one => one.purpose === purpose)
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
    heading: said(view, 'heading'),
    texts: [said(view, 'text')],
    mark: markOf(scene, view, 'text'),
    back: `${scene.url}/consents/${purpose}`,
    aloud: false, // a yes depends on every word: a person's voice, or none
    recording: purpose,
  })
}

async function notice(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const wanted = call.query.get('notice') ?? ''
  const parts = noticeView(scene.file, scene.packs, scene.languages, wanted)
  if (parts.length === 0) return redirect(scene.url)
  const [heading, ...texts] = parts.map(part => said(part, 'text'))
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
