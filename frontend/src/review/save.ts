// What a person changed on a photo, read from the server and written to it: with the version that
// was seen, and kept in the browser until it is safe.
import type { ContainerBody, ContainerRead as ShapeRead } from "./containers";
import type { ContainerRead, Edits, MarkRead, Outlines, Point } from "./marks";

// A container of before, where the last count saw it.
export interface BinRead {
  bin_id: number;
  index: number;
  container_type: string;
  outline: Point[];
  image_id: string;
  width_px: number;
  height_px: number;
  view_url: string;
  captured_at: string;
}

// All that is not saved yet; containers only where they were changed, on those of an attempt.
export interface Kept {
  marks: Edits;
  containers?: ContainerBody[];
  attempt?: number;
}

export interface Addresses {
  corrections: string;
  containers: string;
  detections: string;
}

export interface Read {
  attempt: number;
  shapes: ShapeRead[];
  bins: BinRead[];
  containers: ContainerRead[];
  marks: MarkRead[];
  outlines: Outlines[];
  etag: string;
}

export type Saved =
  | { kind: "saved"; status: string; waitsFor: string | null }
  | { kind: "changed" } // by somebody else, meanwhile
  | { kind: "refused"; fault: string | null }
  | { kind: "leaves"; plants: number } // plants would stand in no container: to be confirmed
  | { kind: "failed" }
  | { kind: "offline" };

export async function read({ corrections, containers, detections }: Addresses): Promise<Read | null> {
  const answers = await Promise.all([corrections, containers, detections].map((url) => fetch(url)));
  if (!answers.every((one) => one.ok)) return null;
  const [marks, shapes, drawn] = answers as [Response, Response, Response];
  const body = (await marks.json()) as Pick<Read, "attempt" | "containers" | "marks">;
  const read = (await shapes.json()) as { attempt: number; containers: ShapeRead[]; bins: BinRead[] };
  if (read.attempt !== body.attempt) return null; // somebody drew between the two
  return {
    ...body,
    shapes: read.containers,
    bins: read.bins,
    outlines: (await drawn.json()) as Outlines[],
    etag: marks.headers.get("etag") ?? "*",
  };
}

export async function save(
  { corrections, containers }: Addresses, etag: string, { marks, containers: drawn }: Kept,
  decision: { accept: boolean; reason: string; leavesOut: boolean },
): Promise<Saved> {
  const { accept, reason, leavesOut } = decision;
  const said = { accept, reason: reason || null };
  const asked = drawn
    ? { method: "PUT", url: containers, body: { containers: drawn, marks: withoutContainers(marks), leave_out: leavesOut, ...said } }
    : { method: "POST", url: corrections, body: { ...marks, ...said } };
  let answer: Response;
  try {
    answer = await fetch(asked.url, {
      method: asked.method,
      headers: {
        "content-type": "application/json",
        "if-match": etag,
        "idempotency-key": newKey(),
        "x-form-token": document.querySelector<HTMLMetaElement>('meta[name="form-token"]')?.content ?? "",
      },
      body: JSON.stringify(asked.body),
    });
  } catch {
    return { kind: "offline" };
  }
  if (answer.status === 412) return { kind: "changed" };
  if (answer.status === 409 || answer.status === 422) return refusal(await answer.json());
  if (!answer.ok) return { kind: "failed" };
  const done = (await answer.json()) as { status: string; waits_for: string | null };
  return { kind: "saved", status: done.status, waitsFor: done.waits_for };
}

// Which container each stands in is for the new outlines to say.
function withoutContainers(marks: Edits): unknown {
  const add = marks.add.map(({ box, position, is_empty_container }) => ({ box, position, is_empty_container }));
  return { ...marks, add };
}

function refusal(problem: { code?: string; plants?: number; fault?: string }): Saved {
  if (problem.code === "plants_left_out") return { kind: "leaves", plants: problem.plants ?? 0 };
  return { kind: "refused", fault: problem.fault ?? null };
}

// Written a moment later, once for many changes, and before the page goes.
let unwritten: (() => void) | null = null;
addEventListener("pagehide", () => unwritten?.());

export function keep(session: string, edits: () => Kept | null): void {
  if (!unwritten) setTimeout(() => unwritten?.(), 200);
  unwritten = () => {
    unwritten = null;
    keepNow(session, edits());
  };
}

export function keepNow(session: string, edits: Kept | null): void {
  const name = `review-${session}`;
  unwritten = null;
  if (edits) sessionStorage.setItem(name, JSON.stringify(edits));
  else sessionStorage.removeItem(name);
}

export function kept(session: string): Kept | null {
  const text = sessionStorage.getItem(`review-${session}`);
  return text ? (JSON.parse(text) as Kept) : null;
}

// crypto.randomUUID is only there in secure contexts; a phone may reach us by plain http.
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
