// The store in IndexedDB: it outlives a reload, a closed browser and a phone that is switched off.
import type { Delivery, Store } from "./store";

const NAME = "demeter";
const PARTS = ["deliveries", "photos", "notes"] as const;
type Part = (typeof PARTS)[number];

export class BrowserStore implements Store {
  private opened?: Promise<IDBDatabase>;

  async all(person: string): Promise<Delivery[]> {
    const rows = await this.ask<Delivery[]>("deliveries", (part) => part.getAll());
    return rows.filter((row) => row.person === person).sort((a, b) => a.at - b.at);
  }

  async add(delivery: Delivery, photos: Blob[]): Promise<void> {
    // In one transaction: a delivery and its bytes are there together, or not at all.
    await this.write(["deliveries", "photos"], (part) => {
      photos.forEach((photo, index) => part("photos").put(photo, `${delivery.id}/${index}`));
      part("deliveries").put(delivery, delivery.id);
    });
  }

  // Only of what is there still: another page may have sent it meanwhile.
  async change(delivery: Delivery): Promise<void> {
    await this.write(["deliveries"], (part) => {
      const look = part("deliveries").get(delivery.id);
      look.onsuccess = () => {
        if (look.result) part("deliveries").put(delivery, delivery.id);
      };
    });
  }

  photo(id: string, index: number): Promise<Blob | undefined> {
    return this.ask("photos", (part) => part.get(`${id}/${index}`));
  }

  async drop(id: string): Promise<void> {
    await this.write(["deliveries", "photos"], (part) => {
      part("deliveries").delete(id);
      part("photos").delete(IDBKeyRange.bound(`${id}/`, `${id}/\uffff`));
    });
  }

  read<T>(name: string): Promise<T | undefined> {
    return this.ask("notes", (part) => part.get(name));
  }

  async keep(name: string, value: unknown): Promise<void> {
    await this.write(["notes"], (part) => void part("notes").put(value, name));
  }

  private open(): Promise<IDBDatabase> {
    this.opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => PARTS.forEach((part) => request.result.createObjectStore(part));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return this.opened;
  }

  private async ask<T>(part: Part, question: (part: IDBObjectStore) => IDBRequest): Promise<T> {
    const database = await this.open();
    return new Promise((resolve, reject) => {
      const request = question(database.transaction(part).objectStore(part));
      request.onsuccess = () => resolve(request.result as T);
      request.onerror = () => reject(request.error);
    });
  }

  private async write(parts: Part[], act: (part: (name: Part) => IDBObjectStore) => void): Promise<void> {
    const database = await this.open();
    return new Promise((resolve, reject) => {
      const change = database.transaction(parts, "readwrite", { durability: "strict" });
      change.oncomplete = () => resolve();
      change.onerror = change.onabort = () => reject(change.error);
      act((name) => change.objectStore(name));
    });
  }
}
