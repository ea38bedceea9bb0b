// The document, for modules that know what their templates contain.

/**
 * The element of this id, which the shell or the page's own template has.
 * @param {string} id @returns {HTMLElement}
 */
export const byId = id => /** @type {HTMLElement} */ (document.getElementById(id))
