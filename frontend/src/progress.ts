// Follows a session by server-sent events; where these do not come through, by asking.

interface Progress {
  status: string;
  is_end: boolean;
  progress: number;
  workers_alive: number;
}

const ASK_EVERY_MS = 2000;
const TRIES = 3;

export function followProgress(card: HTMLElement): void {
  const { watchUrl, pollUrl } = card.dataset;
  if (!watchUrl || !pollUrl) return;
  const show = (now: Progress) => {
    if (now.is_end) location.reload();
    else draw(card, now);
  };
  const source = new EventSource(watchUrl);
  let failures = 0;
  const heard = (event: MessageEvent<string>) => {
    failures = 0;
    const now = JSON.parse(event.data) as Progress;
    if (now.is_end) source.close();
    show(now);
  };
  source.addEventListener("progress", heard);
  source.addEventListener("end", heard);
  source.addEventListener("error", () => {
    failures += 1;
    if (failures < TRIES) return;
    source.close();
    setInterval(() => void ask(pollUrl, show), ASK_EVERY_MS);
  });
}

async function ask(url: string, show: (now: Progress) => void): Promise<void> {
  try {
    const answer = await fetch(url);
    if (answer.ok) show((await answer.json()) as Progress);
  } catch {
    // No connection: the next question may get through.
  }
}

function draw(card: HTMLElement, now: Progress): void {
  const bar = card.querySelector<HTMLProgressElement>("[data-bar]");
  if (bar) bar.value = now.progress;
  const percent = card.querySelector("[data-percent]");
  if (percent) percent.textContent = `${Math.round(now.progress * 100)} %`;
  const title = card.querySelector("[data-progress-title]");
  const { textWaiting = "", textCounting = "" } = card.dataset;
  const text = now.status === "pending" ? textWaiting : textCounting;
  if (title && title.textContent !== text) title.textContent = text;
  card.querySelector("[data-no-worker]")?.toggleAttribute("hidden", now.workers_alive > 0);
}
