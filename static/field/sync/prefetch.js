// Guide packs, fonts and recordings, fetched before anybody needs them, so that they are on the
// phone when there is no network. A failure here never fails a round of sending and receiving.

import {keepRecordings} from '../guide/recordings.js'
import {chosenLanguage} from '../i18n.js'

/** @import {Person, VisitRecord} from '../record/shapes.d.ts' */

/**
 * @typedef {Pick<typeof import('../guide/packs.js'),
 *   'fetchAhead'|'dropOtherPacks'|'requestedLanguages'>} Packs
 */

/**
 * Have on the phone what this person needs, and no more.
 * @param {import('../store/store.js').Store} store @param {Person} person @param {Packs} packs
 */
export async function prefetch(store, person, packs) {
  try {
    const [files, facts] = [await store.visits(), await store.facts()]
    const inUse = (/** @type {VisitRecord|null} */ record) =>
      record?.cells.guide?.[0]?.value || facts.guide
    const spoken = files.map(file => file.record.cells.language?.at(-1)?.value)
    // Only this phone's languages: the person's, those of its visits, and those requested in the
    // settings. Any other is fetched when it is chosen at a door that has a network.
    const languages = [
      ...new Set([
        'sv',
        chosenLanguage(),
        person.interface_language,
        ...spoken,
        ...(person.languages ?? []),
        ...packs.requestedLanguages(),
      ]),
    ].filter(tag => facts.languages.includes(tag))
    const records = [...files, ...(await store.read()).visits.values()].map(one => one.record)
    const versions = [...new Set([...records.map(inUse), facts.guide])].filter(Boolean)
    const wanted = versions.flatMap(version =>
      languages.map(tag => /** @type {[string, string]} */ ([version, tag])),
    )
    await packs.fetchAhead(wanted)
    await packs.dropOtherPacks(wanted)
    await keepRecordings(languages, facts.recordings)
  } catch (error) {
    // It is fetched when a visit is opened.
    console.error('The guide could not be fetched ahead', error)
  }
}
