// The service worker: counting opens without a connection. It keeps a page that is for nobody, and
// scripts; never an answer that is for a person.
interface Kept {
  version: string;
  files: string[];
  shells: Record<string, string>;
}
interface Extended extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Said extends Extended {
  data: unknown;
}
interface Asking extends Extended {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Worker {
  addEventListener(name: string, act: (event: never) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
}
declare const DEMETER: Kept; // written before this script by the server

const worker = self as unknown as Worker;
const cacheName = `demeter-${DEMETER.version}`;
const PATIENCE_MS = 4000; // for a page, on a line that says nothing more

worker.addEventListener("install", (event: Extended) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((kept) => kept.addAll([...DEMETER.files, ...Object.values(DEMETER.shells)]))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (event: Extended) => {
  const isOld = (each: string) => each.startsWith("demeter-") && ![cacheName, "demeter-language"].includes(each);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(isOld).map((old) => caches.delete(old))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("message", (event: Said) => {
  if (event.data === "claim") event.waitUntil(worker.clients.claim());
});

worker.addEventListener("fetch", (event: Asking) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === "/count") event.respondWith(countingPage(request));
  else if (request.mode === "navigate" && pathname === "/") event.respondWith(firstPage(request));
  else if (pathname.startsWith("/static/")) event.respondWith(file(request));
});

async function countingPage(request: Request): Promise<Response> {
  try {
    return await withPatience(request);
  } catch {
    const kept = await caches.open(cacheName);
    const chosen = await (await caches.open("demeter-language")).match("/language");
    const language = (await chosen?.text()) ?? "es";
    const shell = await kept.match(DEMETER.shells[language] ?? DEMETER.shells.es!);
    return shell ?? Response.error();
  }
}

// Today needs the server; what can be done without it is counting.
async function firstPage(request: Request): Promise<Response> {
  return fetch(request).catch(() => Response.redirect("/count"));
}

async function withPatience(request: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), PATIENCE_MS);
    fetch(request).then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function file(request: Request): Promise<Response> {
  const kept = await (await caches.open(cacheName)).match(request);
  return kept ?? fetch(request);
}
