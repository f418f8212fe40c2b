// What a person changed on a photo, read from the server and written to it: with the version that
// was seen, and kept in the browser until it is safe.
import type { ContainerRead, Edits, MarkRead, Outlines } from "./marks";

export interface Read {
  containers: ContainerRead[];
  marks: MarkRead[];
  outlines: Outlines[];
  etag: string;
}

export type Saved =
  | { kind: "saved"; status: string; waitsFor: string | null }
  | { kind: "changed" } // by somebody else, meanwhile
  | { kind: "refused" }
  | { kind: "failed" }
  | { kind: "offline" };

export async function read(corrections: string, detections: string): Promise<Read | null> {
  const [marks, drawn] = await Promise.all([fetch(corrections), fetch(detections)]);
  if (!marks.ok || !drawn.ok) return null;
  const body = (await marks.json()) as Pick<Read, "containers" | "marks">;
  const outlines = (await drawn.json()) as Outlines[];
  return { ...body, outlines, etag: marks.headers.get("etag") ?? "*" };
}

export async function save(
  url: string, etag: string, edits: Edits, accept: boolean, reason: string,
): Promise<Saved> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "if-match": etag,
        "idempotency-key": newKey(),
        "x-form-token": document.querySelector<HTMLMetaElement>('meta[name="form-token"]')?.content ?? "",
      },
      body: JSON.stringify({ ...edits, accept, reason: reason || null }),
    });
  } catch {
    return { kind: "offline" };
  }
  if (answer.status === 412) return { kind: "changed" };
  if (answer.status === 409 || answer.status === 422) return { kind: "refused" };
  if (!answer.ok) return { kind: "failed" };
  const done = (await answer.json()) as { status: string; waits_for: string | null };
  return { kind: "saved", status: done.status, waitsFor: done.waits_for };
}

export function keep(session: string, edits: Edits | null): void {
  const name = `review-${session}`;
  if (edits) sessionStorage.setItem(name, JSON.stringify(edits));
  else sessionStorage.removeItem(name);
}

export function kept(session: string): Edits | null {
  const text = sessionStorage.getItem(`review-${session}`);
  return text ? (JSON.parse(text) as Edits) : null;
}

// crypto.randomUUID is only there in secure contexts; a phone may reach us by plain http.
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
