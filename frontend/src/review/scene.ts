// What is edited, and where it is to be seen: one photo of a session at a time.
import type OpenSeadragon from "openseadragon";
import type { MarksCanvas } from "./canvas";
import { Containers, type ContainerRead } from "./containers";
import { Grid } from "./grid";
import { Marks, type Box, type Point } from "./marks";
import type * as server from "./save";

export class Scene {
  marks!: Marks;
  containers = new Containers([]);
  grid!: Grid;
  etag = "*";
  attempt = 0;
  canvas!: MarksCanvas;
  viewer!: OpenSeadragon.Viewer;

  constructor(public position: number) {}

  // What is read of the server is what is edited from now on.
  take(read: server.Read): void {
    this.marks = new Marks(read.containers, read.marks, read.outlines);
    this.containers = new Containers(read.shapes as ContainerRead[]);
    this.etag = read.etag;
    this.attempt = read.attempt;
    this.gather();
  }

  gather(): void {
    this.grid = new Grid(this.marks.at(this.position));
    this.follow();
  }

  // Plants are put where a container is now.
  follow(): void {
    const outline = this.marks.outline(this.position);
    if (!outline) return;
    outline.containers = this.containers.at(this.position).map((one) => ({
      index: one.former[0] ?? outline.containers[0]?.index ?? 1,
      polygon: one.outline,
    }));
  }

  // Plants by marks, less those that stand in no container any more.
  get total(): number {
    return this.marks.total - this.outside;
  }

  get outside(): number {
    if (!this.containers.isChanged) return 0;
    const drawn = this.containers.all;
    const still = this.containers.unchanged;
    return this.marks.all.filter((mark) => {
      if (mark.removed || mark.isEmpty || still.has(mark.container)) return false;
      const [x, y] = [(mark.box[0] + mark.box[2]) / 2, (mark.box[1] + mark.box[3]) / 2];
      return !drawn.some((one) => one.position === mark.position && reaches(one.box, x, y, this.edge) && this.containers.isNear(one, x, y, this.edge));
    }).length;
  }

  // So near an outline a plant still belongs to it: the server's own rule.
  get edge(): number {
    const photo = this.marks.outline(this.position);
    return photo ? Math.max(2, 0.004 * Math.max(photo.width_px, photo.height_px)) : 2;
  }

  within([x1, y1, x2, y2]: Box): boolean {
    const photo = this.marks.outline(this.position);
    return !!photo && x1 >= 0 && y1 >= 0 && x2 <= photo.width_px && y2 <= photo.height_px;
  }

  centre(): Point {
    const { clientWidth, clientHeight } = this.viewer.canvas;
    return this.canvas.toPhoto(clientWidth / 2, clientHeight / 2);
  }

  // Once its place has its new size.
  showWhole(): void {
    requestAnimationFrame(() => requestAnimationFrame(() => this.viewer.viewport.goHome(true)));
  }

  bringIntoView([x, y]: Point): void {
    const view = this.canvas.view;
    const { clientWidth: width, clientHeight: height } = this.viewer.canvas;
    const [px, py] = [x * view.scale + view.x, y * view.scale + view.y];
    if (px > 20 && py > 20 && px < width - 20 && py < height - 20) return;
    const share = this.viewer.world.getItemAt(0).getContentSize().x
      / this.marks.outline(this.position)!.width_px;
    const centre = this.viewer.viewport.getCenter();
    [centre.x, centre.y] = [x * share, y * share];
    this.viewer.viewport.panTo(this.viewer.viewport.imageToViewportCoordinates(centre));
    this.viewer.viewport.applyConstraints();
  }
}

function reaches([x1, y1, x2, y2]: Box, x: number, y: number, edge: number): boolean {
  return x >= x1 - edge && x <= x2 + edge && y >= y1 - edge && y <= y2 + edge;
}
