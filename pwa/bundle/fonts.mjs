// Cuts fonts down to a few letters. Standard input says which (pwa/bundle/build.py): a JSON list of
// {from, to, letters}. A letter that the font lacks is left out; tests/bundle/test_fonts.py tells.

import {readFile, writeFile} from 'node:fs/promises'
import {text} from 'node:stream/consumers'
import subsetFont from 'subset-font'

for (const {from, to, letters} of JSON.parse(await text(process.stdin))) {
  await writeFile(to, await subsetFont(await readFile(from), letters, {targetFormat: 'woff2'}))
}
