// One record that all tabs of this app share.
//
// It is in IndexedDB, because localStorage promises neither of the two things that a refresh needs: that a tab which
// has just got a lock sees what the tab before it has written, and that what was written is on disk.

const DATABASE = "browser-app";
const STORE = "record";
const KEY = "session";

const otherTabs = new BroadcastChannel(DATABASE);
let database;

/** The record as it is now; null if there is none. */
export async function read() {
  return (await run("readonly", (store) => store.get(KEY))) ?? null;
}

/** Writes the record. It is on disk when the promise is kept. */
export async function write(record) {
  await run("readwrite", (store) => store.put(record, KEY));
  otherTabs.postMessage("changed");
  return record;
}

/** Removes the record. */
export async function remove() {
  await run("readwrite", (store) => store.delete(KEY));
  otherTabs.postMessage("changed");
}

/** Calls `listener` when another tab has written or removed the record. */
export function onChange(listener) {
  otherTabs.addEventListener("message", listener);
}

async function run(mode, request) {
  database ??= open();
  const transaction = (await database).transaction(STORE, mode, { durability: "strict" });
  const asked = request(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

function open() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
