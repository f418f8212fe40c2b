// What became of an upload, said in full: safe, refused with every reason, or not sent.

export interface Accepted {
  session_id: string;
  is_new: boolean;
  location_code: string | null;
  page_url: string;
}

interface Fault {
  code: string;
  detail: string;
  file?: string;
}

export interface Problem extends Fault {
  title: string;
  next_action?: string;
  files?: Fault[];
}

export class Outcome {
  constructor(
    private readonly box: HTMLElement,
    private readonly words: DOMStringMap,
  ) {}

  hide(): void {
    this.box.hidden = true;
  }

  accepted(sessions: Accepted[]): void {
    const isNew = sessions.some((s) => s.is_new);
    const { textSafe = "", textSafeText = "", textAgain = "", textAgainText = "" } = this.words;
    const links = sessions.map((s) => {
      const link = element("a", `${this.words.textSee} · ${s.location_code ?? this.words.textNoLocation}`);
      link.setAttribute("href", s.page_url);
      link.className = "btn";
      return link;
    });
    this.show("safe", [
      element("h2", isNew ? textSafe : textAgain),
      element("p", isNew ? textSafeText : textAgainText),
      row(links),
    ]);
  }

  refused(problem: Problem): void {
    const faults = (problem.files ?? [problem]).map((fault) => this.fault(fault));
    const list = document.createElement("ul");
    list.append(...faults.map((text) => element("li", text)));
    const action = this.said(problem.code)?.action ?? problem.next_action;
    this.show("refused", [
      element("h2", this.words.textNotSent ?? problem.title),
      element("p", this.said(problem.code)?.title ?? problem.title),
      list,
      ...(action ? [element("p", action)] : []),
    ]);
  }

  // In the page's language where the file tells enough; else as the server said it.
  private fault(fault: Fault): string {
    const title = this.said(fault.code)?.title;
    return fault.file && title ? `${fault.file}: ${title}` : fault.detail;
  }

  private said(code: string): { title?: string; action?: string } | undefined {
    const all = JSON.parse(this.words.problems ?? "{}") as Record<string, { title: string }>;
    return all[code];
  }

  unreachable(again: () => void): void {
    const retry = element("button", this.words.textRetry ?? "");
    retry.className = "btn primary";
    retry.addEventListener("click", again);
    this.show("refused", [
      element("h2", this.words.textNotSent ?? ""),
      element("p", this.words.textNotSentText ?? ""),
      row([retry]),
    ]);
  }

  private show(kind: string, parts: HTMLElement[]): void {
    this.box.className = `outcome ${kind}`;
    this.box.replaceChildren(...parts);
    this.box.hidden = false;
    this.box.focus({ preventScroll: true });
    this.box.scrollIntoView({ block: "nearest" });
  }
}

function element(name: string, text: string): HTMLElement {
  return Object.assign(document.createElement(name), { textContent: text });
}

function row(parts: HTMLElement[]): HTMLElement {
  const box = document.createElement("div");
  box.className = "chips";
  box.append(...parts);
  return box;
}
