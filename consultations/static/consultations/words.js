/** What the scripts say, written by the page in the person's language (`_room_words.html`). */

/**
 * @param {string} key @param {Record<string, string | number>} [values] for `{name}` places
 * @returns {string}
 */
export function word(key, values = {}) {
  const text = document.querySelector(`#words [data-word="${key}"]`)?.textContent?.trim() ?? "";
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/**
 * A copy of a page's template.
 * @param {string} id @returns {HTMLElement}
 */
export function copy(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`no template ${id}`);
  const made = template.content.firstElementChild?.cloneNode(true);
  if (!(made instanceof HTMLElement)) throw new Error(`template ${id} is empty`);
  return made;
}

/**
 * @param {ParentNode} root @param {string} selector @returns {HTMLElement}
 */
export function one(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`no ${selector}`);
  return found;
}

/**
 * @param {ParentNode} root @param {string} selector @returns {HTMLElement | null}
 */
export function maybe(root, selector) {
  const found = root.querySelector(selector);
  return found instanceof HTMLElement ? found : null;
}
