/**
 * Where a picture that is on its way outlives a reload of the page: in the browser's own store,
 * encrypted with a key that goes with the tab, and no longer than until it was stored by the room.
 * Where a browser keeps nothing, it lives in the page alone.
 */

const NAME = "telemed-pictures";
const KEY = "telemed-picture-key";

/** @typedef {{id: string, sha256: string, bytes: ArrayBuffer}} Kept */

/** @param {Kept} picture */
export async function keep({ id, sha256, bytes }) {
  try {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key(), bytes);
    await inStore("readwrite", (store) => store.put({ id, sha256, iv, sealed }));
  } catch {
    // A private window, or no room: a reload asks for the picture again.
  }
}

/** @param {string} id @param {string} sha256 @returns {Promise<ArrayBuffer | null>} */
export async function kept(id, sha256) {
  try {
    const found = await inStore("readonly", (store) => store.get(id));
    if (found?.sha256 !== sha256) return null;
    return await crypto.subtle.decrypt({ name: "AES-GCM", iv: found.iv }, await key(), found.sealed);
  } catch {
    return null;
  }
}

/** All but these. @param {string[]} ids */
export async function forgetAllBut(ids) {
  try {
    const known = /** @type {string[]} */ (await inStore("readonly", (store) => store.getAllKeys()));
    for (const id of known) {
      if (!ids.includes(id)) await inStore("readwrite", (store) => store.delete(id));
    }
  } catch {
    // Nothing could be kept either.
  }
}

/** Of this tab. @returns {Promise<CryptoKey>} */
async function key() {
  const known = sessionStorage.getItem(KEY);
  const jwk = known ? JSON.parse(known) : null;
  const usages = /** @type {KeyUsage[]} */ (["encrypt", "decrypt"]);
  if (jwk) return crypto.subtle.importKey("jwk", jwk, "AES-GCM", false, usages);
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, usages);
  sessionStorage.setItem(KEY, JSON.stringify(await crypto.subtle.exportKey("jwk", made)));
  return made;
}

/**
 * @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest} work
 * @returns {Promise<any>}
 */
function inStore(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("pictures", { keyPath: "id" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const request = work(opening.result.transaction("pictures", mode).objectStore("pictures"));
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        resolve(request.result);
        opening.result.close();
      };
    };
  });
}
