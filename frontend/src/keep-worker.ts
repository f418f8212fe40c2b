// The service worker, asked for until it is there: on a line that breaks while it fetches what it
// is to keep, the browser lets go of it until the next page. Who stands at a bed stays on this one.
// A page that was on its way while the worker took over is not the worker's: it asks to be.
const MOST = 8; // tries; then with the next page
const WAITS_MS = [2_000, 5_000, 15_000, 60_000];

export async function keepWorker(container: ServiceWorkerContainer, tries = 0): Promise<void> {
  const again = () => {
    if (tries === MOST) return;
    const wait = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)];
    setTimeout(() => void keepWorker(container, tries + 1), wait);
  };
  try {
    const registration = await container.register("/sw.js");
    const { installing: worker, waiting, active } = registration;
    if (!worker && !waiting && !active) again(); // it ended before anybody listened
    void container.ready.then(({ active }) => {
      if (!container.controller) active?.postMessage("claim");
    });
    worker?.addEventListener("statechange", () => {
      // One that was never active, and no other that is: its installation failed.
      if (worker.state === "redundant" && !registration.active) again();
    });
  } catch {
    again(); // no line; a browser that allows none has no container
  }
}
