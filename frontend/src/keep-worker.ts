// The service worker, asked for until it is there: on a line that breaks while it fetches what it
// is to keep, the browser lets go of it until the next page. Who stands at a bed stays on this one.
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
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      // One that was never active, and no other that is: its installation failed.
      if (worker.state === "redundant" && !registration.active) again();
    });
  } catch {
    again(); // no line; a browser that allows none has no container
  }
}
