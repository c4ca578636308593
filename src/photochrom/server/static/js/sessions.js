// Sessions: what was made of photos, kept in this browser by the photo's hash.

/** @typedef {{sha256: string, name: string, when: number, project: object, handle?: FileSystemFileHandle}} Session */

const NAME = "photochrom";
const STORE = "sessions";
const MOST = 500;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

/** @param {IDBTransactionMode} mode */
async function store(mode) {
  opened ??= (() => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "sha256" }).createIndex("when", "when");
    return done(request);
  })();
  return (await opened).transaction(STORE, mode).objectStore(STORE);
}

/** Keep a session; the oldest beyond many go. @param {Session} session */
export async function keep(session) {
  const sessions = await store("readwrite");
  await done(sessions.put(session));
  const surplus = (await done(sessions.count())) - MOST;
  if (surplus <= 0) return;
  const oldest = await done(sessions.index("when").getAllKeys(null, surplus));
  for (const key of oldest) sessions.delete(key);
}

/** The session of a photo. @param {string} sha256 @returns {Promise<Session | undefined>} */
export const recall = async (sha256) => done((await store("readonly")).get(sha256));

/** The last sessions whose photo can be opened again, newest first. @param {number} count @returns {Promise<Session[]>} */
export async function recent(count) {
  /** @type {Session[]} */
  const all = await done((await store("readonly")).index("when").getAll());
  return all.filter(({ handle }) => handle).slice(-count).reverse();
}
