// Where the sprite of pictograms lies (static/icons/pictograms.svg). It travels with the app, so
// the address is beside this file, and beside build/phone.js when bundled: keep this module
// directly in static/field, one folder below static, or the bundle looks elsewhere.

/** Address of the sprite; `#<name>` is one drawing. */
export const pictograms = new URL('../icons/pictograms.svg', import.meta.url).pathname
