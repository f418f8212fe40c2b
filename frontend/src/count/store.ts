// What the phone keeps until it is safe: deliveries of photos, each of one bed and one person.

export interface BedName {
  code: string;
  name: string;
  place: string;
}

export interface Picture {
  sha256: string;
  size: number;
  name: string;
}

export interface Refusal {
  code: string;
  title: string;
  action: string;
}

export interface Delivery {
  id: string; // made here; what is sent under it is kept once
  person: string;
  bed: BedName | null;
  pictures: Picture[];
  at: number; // when it was taken or chosen, in ms
  takenHere: boolean; // by our camera, so that `at` is when; else the photo's own time counts
  source: "mobile" | "web";
  state: "waiting" | "refused";
  refusal?: Refusal;
  sentBytes: number;
}

export interface Store {
  all(person: string): Promise<Delivery[]>;
  add(delivery: Delivery, photos: Blob[]): Promise<void>;
  change(delivery: Delivery): Promise<void>;
  photo(id: string, index: number): Promise<Blob | undefined>;
  drop(id: string): Promise<void>;
  read<T>(name: string): Promise<T | undefined>;
  keep(name: string, value: unknown): Promise<void>;
}

export const newId = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
};
