// Renders on request: a JSON line in, a JSON line out, so that thousands of renders cost one start.
// {module, template, context, messages: {msgid: text | [one, many]}} or, with a compiled catalogue,
// {module, template, context, catalogue} → {html} or {error}

import {createInterface} from 'node:readline'
import {pathToFileURL} from 'node:url'

for await (const line of createInterface({input: process.stdin})) {
  const {module, template, context, messages, catalogue} = JSON.parse(line)
  const i18n = catalogue
    ? await import(pathToFileURL(catalogue).href)
    : {
        gettext: msgid => messages[msgid] ?? msgid,
        // Two forms for n == 1 and the rest, as the Python side of the test does it.
        ngettext: (one, many, n) => (messages[one] ?? [one, many])[n === 1 ? 0 : 1],
      }
  let answer
  try {
    const {render} = await import(pathToFileURL(module).href)
    answer = {html: render(template, context, i18n)}
  } catch (error) {
    answer = {error: String(error)}
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
