// The recipient of a consent while it is being typed, so that turning the screen and back keeps it.
// In memory and not in the address: a reload would put into the server's log which clinic a visit
// is about.

const typed = new Map()
/** @param {string} visit @param {string} purpose */
const keyOf = (visit, purpose) => `${visit} ${purpose}`

/** The recipient to show for a consent: what is being typed, else what was last agreed.
 * @param {string} visit @param {string} purpose @param {string} agreed @returns {string} */
export const recipientShown = (visit, purpose, agreed) => typed.get(keyOf(visit, purpose)) ?? agreed

/** @param {string} visit @param {string} purpose @param {string} recipient as typed so far */
export const keepRecipient = (visit, purpose, recipient) => {
  typed.set(keyOf(visit, purpose), recipient)
}

/** The consent is saved. @param {string} visit @param {string} purpose */
export const forgetRecipient = (visit, purpose) => {
  typed.delete(keyOf(visit, purpose))
}
