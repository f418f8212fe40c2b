// Beds as tiles: arrows move along a strip and between strips, and the card at the side follows.
const QUIET_MS = 120;

export function startTiles(map: HTMLElement): void {
  const card = document.querySelector<HTMLElement>("[data-bed-card]");
  const cards = new Map<string, string>();
  let timer = 0;
  // One stop of Tab in the whole map: the tile that is shown, else the first.
  const stop = (tile: HTMLAnchorElement) => {
    for (const other of map.querySelectorAll<HTMLAnchorElement>('a.bt:not([tabindex="-1"])')) other.tabIndex = -1;
    tile.tabIndex = 0;
  };
  const first = map.querySelector<HTMLAnchorElement>("a.bt.is-shown, a.bt");
  if (first) stop(first);
  for (const hint of map.querySelectorAll<HTMLElement>("[data-script-only]")) hint.hidden = false;
  const follow = (tile: HTMLAnchorElement) => {
    for (const on of map.querySelectorAll(".is-shown")) on.classList.remove("is-shown");
    tile.classList.add("is-shown");
    stop(tile);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void show(tile, card, cards), QUIET_MS);
  };
  map.addEventListener("focusin", (event) => {
    const tile = tileOf(event.target);
    if (tile) follow(tile);
  });
  map.addEventListener("keydown", (event) => {
    const tile = tileOf(event.target);
    const next = tile && neighbour(map, tile, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

function tileOf(target: EventTarget | null): HTMLAnchorElement | null {
  return target instanceof Element ? target.closest<HTMLAnchorElement>("a.bt") : null;
}

// Strips that are folded away are stepped over.
export function neighbour(map: HTMLElement, tile: HTMLAnchorElement, key: string): HTMLAnchorElement | null {
  const strips = [...map.querySelectorAll<HTMLElement>(".strip")].filter(
    (strip) => !strip.closest("details") || strip.closest("details")!.open,
  );
  const rows = strips.map((strip) => [...strip.querySelectorAll<HTMLAnchorElement>("a.bt")]).filter((row) => row.length);
  const y = rows.findIndex((row) => row.includes(tile));
  const x = rows[y]?.indexOf(tile) ?? -1;
  if (x < 0) return null;
  switch (key) {
    case "ArrowRight": return rows[y]![x + 1] ?? rows[y + 1]?.[0] ?? null;
    case "ArrowLeft": return rows[y]![x - 1] ?? rows[y - 1]?.at(-1) ?? null;
    case "ArrowDown": return rows[y + 1]?.[Math.min(x, rows[y + 1]!.length - 1)] ?? null;
    case "ArrowUp": return rows[y - 1]?.[Math.min(x, rows[y - 1]!.length - 1)] ?? null;
    case "Home": return rows[y]![0] ?? null;
    case "End": return rows[y]!.at(-1) ?? null;
    default: return null;
  }
}

async function show(tile: HTMLAnchorElement, card: HTMLElement | null, cards: Map<string, string>): Promise<void> {
  if (!card || !card.offsetParent) return; // a phone has none
  const address = tile.pathname;
  if (!cards.has(address)) {
    const answer = await fetch(`${address}/card`, { headers: { "hx-request": "true" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    cards.set(address, await answer.text());
  }
  if (!tile.classList.contains("is-shown")) return; // a later one is looked at
  const part = new DOMParser().parseFromString(cards.get(address)!, "text/html");
  card.replaceChildren(...part.body.childNodes);
}
