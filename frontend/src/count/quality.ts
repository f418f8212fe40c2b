// Whether a picture will do, told at the bed: is it sharp, is there light, is it large enough.

export interface Grey {
  width: number;
  height: number;
  values: Uint8ClampedArray | Uint8Array; // one a pixel, row by row
}

export type Fault = "blurred" | "dark" | "glaring" | "small";

export const SIDE = 640; // of the copy that is judged, on its longer side
export const THRESHOLDS = { sharpness: 60, dark: 45, glaring: 225, longSide: 1400 };

// Variance of the Laplacian over the picture's own contrast would call flat scenes sharp; the plain
// variance of 640 px copies parts blurred from sharp here.
export function sharpness({ width, height, values }: Grey): number {
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const edge =
        4 * values[at]! - values[at - 1]! - values[at + 1]! - values[at - width]! - values[at + width]!;
      sum += edge;
      squares += edge * edge;
    }
  }
  const n = Math.max(1, (width - 2) * (height - 2));
  return squares / n - (sum / n) ** 2;
}

export function light({ values }: Grey): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / Math.max(1, values.length);
}

export function faultOf(grey: Grey, longSide: number): Fault | undefined {
  const mean = light(grey);
  if (mean < THRESHOLDS.dark) return "dark";
  if (mean > THRESHOLDS.glaring) return "glaring";
  if (sharpness(grey) < THRESHOLDS.sharpness) return "blurred";
  return longSide < THRESHOLDS.longSide ? "small" : undefined;
}

// A small grey copy of what a canvas can draw.
export function greyOf(source: CanvasImageSource, width: number, height: number, side = SIDE): Grey {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(3, Math.round(width * scale));
  canvas.height = Math.max(3, Math.round(height * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true })!;
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  const values = new Uint8Array(canvas.width * canvas.height);
  for (let i = 0; i < values.length; i += 1) {
    values[i] = (data[4 * i]! * 77 + data[4 * i + 1]! * 150 + data[4 * i + 2]! * 29) >> 8;
  }
  return { width: canvas.width, height: canvas.height, values };
}
