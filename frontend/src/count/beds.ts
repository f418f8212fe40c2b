// The beds of the nursery in walking order, as the phone remembers them: found by name, number,
// label, or where one stands.
import type { BedName, Store } from "./store";

export interface Bed extends BedName {
  product: string | null;
  qr: string;
  last: number | null;
  lastAt: string | null;
  ring: [number, number][] | null; // longitude, latitude
}

const EARTH_M = 6_371_000;

const plain = (text: string): string =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// "Nave 1 · Norte · Claro 8" is found by "n1 norte 8", "claro 8" and "nave1-norte-c08".
function words(bed: Bed): string[] {
  const names = plain(`${bed.place} ${bed.name}`).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const short = names.flatMap((word, i) => {
    const next = names[i + 1];
    return next && /^\d+$/.test(next) ? [word[0]! + next, word + next] : [];
  });
  return [...names, ...short, plain(bed.code), ...plain(bed.code).split("-")];
}

const fits = (word: string, asked: string): boolean =>
  /^\d+$/.test(asked) ? word === asked : word.startsWith(asked);

export function search(beds: Bed[], typed: string, most = 30): Bed[] {
  const asked = plain(typed).split(/[^\p{L}\p{N}-]+/u).filter(Boolean);
  const hits = beds.filter((bed) => {
    const all = words(bed);
    return asked.every((each) => all.some((word) => fits(word, each)));
  });
  return hits.slice(0, most);
}

export function after(beds: Bed[], code: string): Bed | undefined {
  const at = beds.findIndex((bed) => bed.code === code);
  return at < 0 ? beds[0] : beds[at + 1];
}

export const byLabel = (beds: Bed[], text: string): Bed | undefined =>
  beds.find((bed) => bed.qr === text);

export function nearest(beds: Bed[], longitude: number, latitude: number, most = 3): { bed: Bed; metres: number }[] {
  return beds
    .filter((bed) => bed.ring)
    .map((bed) => ({ bed, metres: distance(bed.ring!, longitude, latitude) }))
    .sort((a, b) => a.metres - b.metres)
    .slice(0, most);
}

// Metres to the edge, 0 inside; a bed is small, so that the earth is flat there.
function distance(ring: [number, number][], longitude: number, latitude: number): number {
  const metre = (EARTH_M * Math.PI) / 180;
  const narrow = Math.cos((latitude * Math.PI) / 180);
  const points = ring.map(([x, y]) => [(x - longitude) * metre * narrow, (y - latitude) * metre] as const);
  let inside = false;
  let least = Infinity;
  for (let i = 0; i + 1 < points.length; i += 1) {
    const [ax, ay] = points[i]!;
    const [bx, by] = points[i + 1]!;
    if (ay > 0 !== by > 0 && ((bx - ax) * -ay) / (by - ay) + ax > 0) inside = !inside;
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length ? Math.min(1, Math.max(0, -(ax * (bx - ax) + ay * (by - ay)) / length)) : 0;
    least = Math.min(least, Math.hypot(ax + t * (bx - ax), ay + t * (by - ay)));
  }
  return inside ? 0 : least;
}

// From the server where it answers, else as it was last.
export async function readBeds(store: Store, person: string): Promise<Bed[]> {
  const name = `beds/${person}`;
  try {
    const answer = await fetch("/count/beds", { redirect: "error", signal: AbortSignal.timeout(8000) });
    if (answer.ok) {
      const beds = (await answer.json()) as Bed[];
      await store.keep(name, beds);
      return beds;
    }
  } catch {
    // no connection: below is what we know
  }
  return (await store.read<Bed[]>(name)) ?? [];
}
