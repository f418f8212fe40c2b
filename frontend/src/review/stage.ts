// The viewer in its place: what a pointer does on the photo is told in the photo's own pixels.
import type OpenSeadragon from "openseadragon";
import { MarksCanvas } from "./canvas";
import type { Point } from "./marks";
import { openViewer, type Tiles } from "../viewer";

export interface Pointers {
  press(at: Point): void;
  pull(at: Point): boolean; // true: the photo stays
  release(): void;
  click(at: Point): void;
  follow(at: Point | null): void;
  opened(): void;
  drawn(): void;
}

export interface Stage {
  place: HTMLElement;
  viewer: OpenSeadragon.Viewer;
  canvas: MarksCanvas;
}

export function openStage(figure: HTMLElement, tiles: Tiles, pointers: Pointers): Stage {
  const stage = figure.querySelector<HTMLElement>("[data-stage]")!;
  const place = document.createElement("div");
  place.className = "viewer";
  place.tabIndex = 0;
  place.setAttribute("role", "application");
  place.setAttribute("aria-label", figure.dataset.textPicture ?? "");
  stage.append(place);
  const viewer = openViewer(place, tiles, figure.dataset, {
    maxZoomPixelRatio: 8,
    animationTime: 0.4,
    cooperativeGestures: matchMedia("(pointer: coarse)").matches, // one finger scrolls the page
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false, scrollToZoom: true },
    gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
    keyboardNavEnabled: false,
    tabIndex: -1, // its place has the focus
  });
  const canvas = new MarksCanvas(viewer, () => pointers.drawn());
  const at = ({ x, y }: OpenSeadragon.Point) => canvas.toPhoto(x, y);
  viewer.addHandler("tile-drawn", () => { stage.dataset.ready = "true"; });
  viewer.addHandler("open", () => pointers.opened());
  viewer.addHandler("canvas-press", (event) => pointers.press(at(event.position)));
  viewer.addHandler("canvas-drag", (event) => {
    if (pointers.pull(at(event.position))) event.preventDefaultAction = true;
  });
  viewer.addHandler("canvas-release", () => pointers.release());
  viewer.addHandler("canvas-click", (event) => {
    if (event.quick) pointers.click(at(event.position));
  });
  place.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const { left, top } = place.getBoundingClientRect();
    pointers.follow(canvas.toPhoto(event.clientX - left, event.clientY - top));
  });
  place.addEventListener("pointerleave", () => pointers.follow(null));
  return { place, viewer, canvas };
}
