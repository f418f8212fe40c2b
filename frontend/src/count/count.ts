// The page of counting: a camera on a phone, a table on a desk, and the queue of both.
import { readBeds } from "./beds";
import { BedSheet } from "./bedsheet";
import { Desk } from "./desk";
import { Phone } from "./phone";
import { photosIn } from "./queue";
import { QueueView } from "./queueview";
import { CHANGED, waiting, type Waiting } from "./waiting";
import { Words } from "./words";

type View = "camera" | "review" | "queue" | "desk";

const root = document.querySelector<HTMLElement>("[data-counting]");
if (root && waiting) void start(root, waiting);

async function start(root: HTMLElement, waiting: Waiting): Promise<void> {
  const words = new Words(JSON.parse(root.dataset.words ?? "{}") as Record<string, string>);
  const isDesk = matchMedia("(min-width: 60rem) and (pointer: fine)").matches;
  // Without a connection the page is for nobody; who was here last is whose queue it shows.
  waiting.person ||= (await waiting.store.read<string>("person")) ?? "";
  const sheet = new BedSheet(root, words);
  const phone = new Phone(root, words, waiting, sheet, show);
  const queueView = new QueueView(root.querySelector("[data-queue]")!, words, waiting, isDesk, async (delivery) => {
    const bed = await sheet.ask(phone.beds, delivery.bed?.code);
    if (!bed) return;
    await waiting.queue.moveTo(delivery, { code: bed.code, name: bed.name, place: bed.place });
    void waiting.send();
  });

  function show(view: View): void {
    root.dataset.showing = view;
    document.body.dataset.counting = view;
    for (const part of root.querySelectorAll<HTMLElement>("[data-view]")) {
      const shown = part.dataset.view === view || (isDesk && ["desk", "queue"].includes(part.dataset.view!));
      part.hidden = !shown;
    }
    if (view !== "camera") phone.closeCamera();
    if (view === "queue" || isDesk) void queueView.draw();
    if (!isDesk && view !== "camera") root.querySelector<HTMLElement>(`[data-view=${view}] h2`)?.focus();
    scrollTo(0, 0);
  }

  const toQueue = root.querySelector<HTMLElement>("[data-to-queue]")!;
  const toToday = root.querySelector<HTMLElement>("[data-to-today]")!;
  async function sayQueue(): Promise<void> {
    const n = photosIn(await waiting.store.all(waiting.person));
    toQueue.hidden = n === 0;
    toToday.hidden = n > 0 || !waiting.person;
    const key = waiting.outcome === "sign_in" ? "sign_in" : "on_phone";
    root.querySelector("[data-queue-text]")!.textContent = words.many(key, n);
    if (root.dataset.showing === "queue" || isDesk) await queueView.draw();
    if (n === 0) document.body.dispatchEvent(new Event("sessions-changed"));
  }

  toQueue.addEventListener("click", () => show("queue"));
  toToday.addEventListener("click", () => show("queue"));
  for (const back of root.querySelectorAll("[data-back]")) {
    back.addEventListener("click", () => {
      show("camera");
      void phone.openCamera();
    });
  }
  document.addEventListener(CHANGED, () => void sayQueue());
  root.hidden = false;
  show(isDesk ? "desk" : location.hash === "#queue" ? "queue" : "camera");
  if (!isDesk && root.dataset.showing === "camera") void phone.openCamera();
  void keepLanguage();
  const beds = await readBeds(waiting.store, waiting.person);
  sheet.arrive(beds);
  await phone.start(beds);
  if (isDesk) new Desk(root, words, waiting, sheet, beds);
  root.dataset.ready = "yes";
  await waiting.send();
  await sayQueue();
}

// In which language the page opens without a connection.
async function keepLanguage(): Promise<void> {
  if (!("caches" in window)) return;
  const kept = await caches.open("demeter-language");
  await kept.put("/language", new Response(document.documentElement.lang));
}
