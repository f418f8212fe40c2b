// The server as the queue meets it: every answer is one of four kinds.
import { bytesOf, sha256 } from "./hash";
import type { Delivery } from "./store";

export interface Problem {
  code: string;
  title: string;
  next_action?: string;
  offset?: number;
  retry_after_s?: number;
}

export type Answer<T> =
  | { kind: "done"; body: T }
  | { kind: "refused"; problem: Problem }
  | { kind: "sign_in" }
  | { kind: "later"; afterS?: number };

export interface Me {
  person: string;
  form_token: string;
  now: number;
}

export interface Begun {
  photos: { position: number; offset: number; size_bytes: number }[];
  chunk_bytes: number;
  is_finished: boolean;
}

export interface Remote {
  me(): Promise<Answer<Me>>;
  begin(delivery: Delivery, me: Me): Promise<Answer<Begun>>;
  chunk(id: string, position: number, offset: number, body: Blob, me: Me): Promise<Answer<Begun>>;
  finish(id: string, me: Me): Promise<Answer<unknown>>;
}

const LONGEST_MS = 60_000; // of a request on a line that says nothing more

export class Server implements Remote {
  me(): Promise<Answer<Me>> {
    return ask("/count/me", { cache: "no-store" });
  }

  begin(delivery: Delivery, me: Me): Promise<Answer<Begun>> {
    return ask(`/api/v1/photos/uploads/${delivery.id}`, {
      method: "PUT",
      headers: { "content-type": "application/json", "x-form-token": me.form_token },
      body: JSON.stringify(asked(delivery)),
    });
  }

  async chunk(id: string, position: number, offset: number, body: Blob, me: Me): Promise<Answer<Begun>> {
    const bytes = await bytesOf(body);
    return ask(`/api/v1/photos/uploads/${id}/${position}`, {
      method: "PATCH",
      headers: {
        "content-type": "application/octet-stream",
        "x-form-token": me.form_token,
        "upload-offset": String(offset),
        "chunk-sha256": await sha256(bytes),
      },
      body: bytes,
    });
  }

  finish(id: string, me: Me): Promise<Answer<unknown>> {
    return ask(`/api/v1/photos/uploads/${id}/finish`, {
      method: "POST",
      headers: { "x-form-token": me.form_token, "idempotency-key": id },
    });
  }
}

export function asked(delivery: Delivery): Record<string, unknown> {
  return {
    photos: delivery.pictures.map((p) => ({ sha256: p.sha256, size_bytes: p.size, name: p.name })),
    location_code: delivery.bed?.code,
    captured_at: delivery.takenHere ? new Date(delivery.at).toISOString() : undefined,
    upload_source: delivery.source,
  };
}

async function ask<T>(address: string, options: RequestInit): Promise<Answer<T>> {
  try {
    const answer = await fetch(address, {
      ...options,
      credentials: "same-origin",
      redirect: "error", // a page to sign in at is no answer
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    return await kindOf<T>(answer);
  } catch {
    return { kind: "later" };
  }
}

async function kindOf<T>(answer: Response): Promise<Answer<T>> {
  const body = (await answer.json()) as T | Problem;
  if (answer.ok) return { kind: "done", body: body as T };
  const problem = body as Problem;
  if (typeof problem.code !== "string") return { kind: "later" };
  if (answer.status === 401) return { kind: "sign_in" };
  const passes = [408, 425, 429].includes(answer.status) || answer.status >= 500;
  // The page's session ended and another began: the next try asks for its token anew.
  if (passes || problem.code === "form_outdated") {
    return { kind: "later", afterS: problem.retry_after_s };
  }
  return { kind: "refused", problem };
}
