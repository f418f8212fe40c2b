// A photo before it is sent: its bytes, how it looks, and whether it was here before.
import { bytesOf, sha256 } from "./hash";
import { faultOf, greyOf, type Fault } from "./quality";

export interface Known {
  sha256: string;
  location_code: string | null;
  page_url: string;
}

export interface Shot {
  blob: Blob;
  name: string;
  url: string;
  sha256: string;
  fault?: Fault;
  known?: Known;
  takenHere: boolean;
  at: number;
}

export async function shotOf(blob: Blob, name: string, takenHere: boolean): Promise<Shot> {
  const [digest, fault] = await Promise.all([bytesOf(blob).then(sha256), judge(blob)]);
  return { blob, name, takenHere, at: Date.now(), url: URL.createObjectURL(blob), sha256: digest, fault };
}

// What the browser cannot show (HEIC, TIFF) is judged by nobody here.
async function judge(blob: Blob): Promise<Fault | undefined> {
  try {
    const picture = await createImageBitmap(blob);
    const { width, height } = picture;
    const fault = faultOf(greyOf(picture, width, height), Math.max(width, height));
    picture.close();
    return fault;
  } catch {
    return undefined;
  }
}

export async function knownAmong(hashes: string[]): Promise<Map<string, Known>> {
  try {
    const query = new URLSearchParams(hashes.map((hash) => ["sha256", hash]));
    const answer = await fetch(`/api/v1/photos/known?${query}`, { signal: AbortSignal.timeout(6000) });
    const rows = answer.ok ? ((await answer.json()) as Known[]) : [];
    return new Map(rows.map((row) => [row.sha256, row]));
  } catch {
    return new Map(); // without a connection nobody knows: the server tells a repeat, too
  }
}
