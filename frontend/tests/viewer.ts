// OpenSeadragon's part in the photo island: a viewer that shows the image at one scale and shift.

type Handler = (event: unknown) => void;

export interface Pen {
  calls: [string, ...unknown[]][];
  strokes: string[];
}

// A canvas that remembers what is drawn on it.
export function pen(): Pen & Record<string, unknown> {
  const calls: [string, ...unknown[]][] = [];
  const strokes: string[] = [];
  const state: Record<string, unknown> = { calls, strokes };
  return new Proxy(state, {
    get(target, name: string) {
      if (name in target) return target[name];
      return (...words: unknown[]) => {
        calls.push([name, ...words]);
        if (name === "stroke" || name === "fill") strokes.push(String(target[`${name}Style`]));
        return { width: 10 };
      };
    },
  }) as unknown as Pen & Record<string, unknown>;
}

export class Viewer {
  readonly canvas: HTMLElement;
  readonly element: HTMLElement;
  readonly handlers = new Map<string, Handler>();
  readonly moves: unknown[][] = [];

  constructor(
    readonly options: { element: HTMLElement } & Record<string, unknown>,
    readonly scale = 0.5,
    readonly shift = { x: 10, y: 20 },
  ) {
    this.element = options.element;
    this.canvas = document.createElement("div");
    Object.defineProperty(this.canvas, "clientWidth", { value: 400 });
    Object.defineProperty(this.canvas, "clientHeight", { value: 300 });
    this.element.append(this.canvas);
  }

  // As wide as the photo of the tests, unless it is shown smaller.
  shownWidth = 800;

  readonly world = { getItemAt: () => ({ getContentSize: () => ({ x: this.shownWidth }) }) };

  readonly viewport = {
    getCenter: () => ({ x: 0, y: 0 }),
    getContainerSize: () => ({ x: 400, y: 300 }),
    imageToViewerElementCoordinates: (p: { x: number; y: number }) => ({
      x: p.x * this.scale + this.shift.x,
      y: p.y * this.scale + this.shift.y,
    }),
    viewerElementToImageCoordinates: (p: { x: number; y: number }) => ({
      x: (p.x - this.shift.x) / this.scale,
      y: (p.y - this.shift.y) / this.scale,
    }),
    imageToViewportRectangle: (...box: number[]) => box,
    fitBoundsWithConstraints: (box: number[]) => this.moves.push(["fit", ...box]),
    goHome: () => this.moves.push(["home"]),
    zoomBy: (factor: number) => this.moves.push(["zoom", factor]),
    applyConstraints: () => undefined,
  };

  addHandler(name: string, handler: Handler): void {
    this.handlers.set(name, handler);
  }

  addOnceHandler(name: string, handler: Handler): void {
    this.handlers.set(name, handler);
  }

  destroy(): void {
    this.moves.push(["destroy"]);
  }

  raise(name: string, event: unknown = {}): void {
    this.handlers.get(name)!(event);
  }
}

export const viewers: Viewer[] = [];

function OpenSeadragon(options: { element: HTMLElement }): Viewer {
  const viewer = new Viewer(options as never);
  viewers.push(viewer);
  return viewer;
}

export const strings: Record<string, string> = {};
OpenSeadragon.setString = (name: string, text: string) => (strings[name] = text);

export default OpenSeadragon;
