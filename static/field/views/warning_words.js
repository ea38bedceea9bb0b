// Words that make a note about a person instead of a thing (docs/domain.md 3.17, 4.1). A warning
// only: it never blocks, never leaves the phone and is never counted. Swedish, because notes are
// written in Swedish. Stems, because Swedish compounds and inflects words; where a stem would match
// an innocent word ("sockel", "sex", "drog", "fack") whole words are listed instead.

const STEMS = [
  'sjuk',
  'medicin',
  'diagnos',
  'psyk',
  'depress',
  'dement',
  'alzheimer',
  'handikapp',
  'funktionsned',
  'rullstol',
  'gravid',
  'missbruk',
  'alkohol',
  'narkotika',
  'knark',
  'full av',
  'påverkad',
  'socialtjänst',
  'socialbidrag',
  'försörjningsstöd',
  'kronofogd',
  'skuldsatt',
  'arbetslös',
  'muslim',
  'islam',
  'kristen',
  'judisk',
  'moské',
  'slöja',
  'religi',
  'flykting',
  'asyl',
  'uppehållstillstånd',
  'invandr',
  'utländsk',
  'nationalitet',
  'etnisk',
  'svart bry',
  'språksvårighet',
  'polis',
  'våld',
  'misshandel',
  'misshandla',
  'kriminell',
  'brottslig',
  'fängelse',
  'fackför',
  'facklig',
  'politisk',
  'homosex',
  'sexuell',
  'transperson',
  'personnummer',
  'stökig',
  'smutsig',
  'förvirra',
  'mytoman',
  'snorvalp',
  'otrevlig',
  'konstig',
]
const WHOLE = ['soc', 'socialen', 'facket', 'droger', 'judar', 'hiv', 'adhd', 'autism', 'god man']

const PERSONNUMMER = /(?<!\d)(?:\d{2})?\d{6}[-+ ]?\d{4}(?!\d)/u
const STEM = new RegExp(`(?<!\\p{L})(?:${STEMS.join('|')})\\p{L}*`, 'iu')
const WORD = new RegExp(`(?<!\\p{L})(?:${WHOLE.join('|')})(?!\\p{L})`, 'iu')

/**
 * The first word in `text` to think twice about, as it was written; "" where there is none.
 * @param {string} text @returns {string}
 */
export function warningWord(text) {
  const found = [STEM, WORD, PERSONNUMMER]
    .map(pattern => pattern.exec(text))
    .filter(one => one !== null)
  found.sort((a, b) => a.index - b.index)
  return found[0]?.[0] ?? ''
}
