// One visit: its front page, the tenant's language, and what to do when it does not happen now.

/** @typedef {import('../models/view_texts.js').View} View */

import {LANGUAGES, languageView, visitView} from '../models/view_models.js'
import {page, redirect, refuse} from '../page/router.js'
import {uuid7} from '../record/ids.js'
import {addressOf, openVisit, save, talkSections, todayOf, views} from './context.js'

/** @import {Call} from '../page/shapes.d.ts' */

const DATE = /^\d{4}-\d\d-\d\d$/
const TIME = /^\d\d:\d\d$/

/**
 * The public page with the guide, and the facts of this home.
 * @param {string} language @param {{area?: string, building?: string}} home
 */
function guideLink(language, {area, building}) {
  const link = new URL(`/g/${language}`, location.href)
  const level = building ? `building:${building}` : area ? `area:${area}` : ''
  if (level) link.searchParams.set('level', level)
  return link.href
}

/** @param {Call} call */
async function show(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const visit = visitView(...views(scene))
  // Where to go on: the first section with something left to tell, from the door onwards.
  /** @type {View[]} */
  const sections = visit.sections
  const parts = talkSections(scene.packs)
  const talk = sections.filter(one => parts.includes(one.key) && one.total > 0)
  const next = talk.find(one => one.must_open > 0) ?? talk.find(one => one.answered < one.total)
  return page('field/visit.html', {
    title: visit.address || call.i18n._('Visit'),
    visit,
    url: scene.url,
    actions: true,
    operation: uuid7(),
    started: talk.some(one => one.answered > 0),
    first_section: visit.closed && visit.state !== 'returned' ? '' : (next?.key ?? ''),
    guide_complete: Object.hasOwn(scene.packs, scene.languages.tenant),
    guide_link: guideLink(visit.tenant.tag, scene.file.tenancy),
    consents_given: visit.consents.filter((/** @type {View} */ one) => one.decision).length,
  })
}

/** @param {Call} call */
async function chooseLanguage(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  const spoken = new Set(call.person.languages ?? [])
  const offered = scene.facts.languages?.length ? scene.facts.languages : Object.keys(LANGUAGES)
  // The visitor's own languages first: that is why this visit is theirs.
  const tags = [...offered].sort((a, b) => Number(spoken.has(b)) - Number(spoken.has(a)))
  return page('field/language.html', {
    title: call.i18n._('Language of the visit'),
    url: scene.url,
    address: addressOf(scene),
    operation: uuid7(),
    languages: tags.map(tag => ({...languageView(tag), chosen: tag === scene.languages.tenant})),
  })
}

/** @param {Call} call */
async function setLanguage(call) {
  const language = call.form.get('language') ?? ''
  if (!Object.hasOwn(LANGUAGES, language)) return refuse(call.i18n._('Choose a language.'))
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  await save(call, [{kind: 'visit.language', data: {language}}])
  return redirect(scene.url)
}

/** @param {Call} call */
async function attempt(call) {
  const scene = await openVisit(call)
  if (scene.failed) return scene.failed
  return page('field/attempt.html', {
    title: call.i18n._('The visit does not happen now'),
    url: scene.url,
    address: addressOf(scene),
    today: todayOf(scene.facts),
    not_home_operation: uuid7(),
    rebook_operation: uuid7(),
    declined_operation: uuid7(),
  })
}

/** @param {Call} call */
async function saveAttempt(call) {
  const {_} = call.i18n
  const outcome = call.form.get('outcome') ?? ''
  /** @type {Record<string, string>} */
  const data = {outcome}
  if (outcome === 'rebooked') {
    data.date = call.form.get('date') ?? ''
    data.time = call.form.get('time') ?? ''
    if (!DATE.test(data.date) || !TIME.test(data.time))
      return refuse(_('Give both a date and a time.'))
  } else if (outcome !== 'not_home' && outcome !== 'declined') {
    return refuse(_('Choose what happened.'))
  }
  await save(call, [{kind: 'visit.attempt', data}])
  return redirect(`/field/visits/${call.params.id}`, {toast: _('Saved on this phone')})
}

/** @param {Call} call */
async function reopen(call) {
  await save(call, [{kind: 'visit.reopen', data: {}}])
  return redirect(`/field/visits/${call.params.id}`, {
    toast: call.i18n._('The visit is open again'),
  })
}

/** @param {import('../page/router.js').Routes} routes */
export function register(routes) {
  routes.add('GET', '/field/visits/:id', show)
  routes.add('GET', '/field/visits/:id/language', chooseLanguage)
  routes.add('POST', '/field/visits/:id/language', setLanguage)
  routes.add('GET', '/field/visits/:id/attempt', attempt)
  routes.add('POST', '/field/visits/:id/attempt', saveAttempt)
  routes.add('POST', '/field/visits/:id/reopen', reopen)
}
