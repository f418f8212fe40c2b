// The upload form: photos from camera and gallery gathered, sent with real progress, and kept
// until the server says that they are safe.
import { Chosen } from "./chosen";
import { Outcome, type Accepted, type Problem } from "./outcome";

type Answer =
  | { kind: "accepted"; sessions: Accepted[] }
  | { kind: "refused"; problem: Problem }
  | { kind: "unreachable" };

export function startUpload(form: HTMLFormElement): void {
  const part = <T extends HTMLElement>(name: string) => form.querySelector<T>(`[data-${name}]`)!;
  const section = form.parentElement!;
  const outcome = new Outcome(section.querySelector<HTMLElement>("[data-outcome]")!, form.dataset);
  const send = part<HTMLButtonElement>("send");
  const sending = part("sending");
  const bar = part<HTMLProgressElement>("bar");
  const sendingText = part("sending-text");
  let key = "";

  const chosen = new Chosen(form, () => {
    key = ""; // other photos are another request
    send.disabled = chosen.files.length === 0;
    if (chosen.files.length > 0) outcome.hide();
  });
  form.addEventListener("input", () => (key = ""));
  send.disabled = true;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });

  async function submit(): Promise<void> {
    if (chosen.files.length === 0 || send.disabled) return;
    key ||= newKey();
    busy(true);
    const answer = await post(content(), key, (share) => {
      bar.value = share * 100;
      const { textSending = "", textChecking = "" } = form.dataset;
      sendingText.textContent =
        share < 1 ? textSending.replace("{percent}", String(Math.floor(share * 100))) : textChecking;
    });
    busy(false);
    if (answer.kind === "accepted") {
      outcome.accepted(answer.sessions);
      form.reset();
      chosen.clear();
      document.body.dispatchEvent(new Event("sessions-changed"));
    } else if (answer.kind === "refused") {
      outcome.refused(answer.problem);
    } else {
      outcome.unreachable(() => void submit());
    }
  }

  function content(): FormData {
    const data = new FormData();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && value.trim()) data.append(name, value.trim());
    }
    const code = data.get("location_code");
    if (typeof code === "string") data.set("location_code", code.toUpperCase());
    data.set("upload_source", matchMedia("(pointer: coarse)").matches ? "mobile" : "web");
    for (const file of chosen.files) data.append("files", file, file.name);
    return data;
  }

  function busy(is: boolean): void {
    form.toggleAttribute("aria-busy", is);
    send.hidden = is;
    sending.hidden = !is;
    send.disabled = is;
    chosen.lock(is);
    if (!is) bar.value = 0;
  }
}

// fetch cannot tell how much has been sent; XMLHttpRequest can.
function post(data: FormData, key: string, onProgress: (share: number) => void): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/stock/photo");
    request.setRequestHeader("Idempotency-Key", key);
    request.setRequestHeader("X-Form-Token", formToken());
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded / (event.total || 1));
    request.onerror = request.onabort = () => resolve({ kind: "unreachable" });
    request.onload = () => {
      const body = request.response as Accepted | Accepted[] | Problem | null;
      if (request.status === 202 && body) {
        resolve({ kind: "accepted", sessions: (Array.isArray(body) ? body : [body]) as Accepted[] });
      } else if (body && "code" in body) {
        resolve({ kind: "refused", problem: body });
      } else {
        resolve({ kind: "unreachable" });
      }
    };
    request.send(data);
  });
}

// crypto.randomUUID is only there in secure contexts; a phone may reach us by plain http.
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What shows that a change comes from a page of ours; the page carries it.
function formToken(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="form-token"]')?.content ?? "";
}
