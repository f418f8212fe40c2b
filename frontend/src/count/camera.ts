// The phone's camera in the page: only where the browser has one, over TLS, and it is allowed.
import { faultOf, greyOf, THRESHOLDS, type Fault } from "./quality";

export type Denial = "insecure" | "allow" | "none";

interface Still {
  takePhoto(): Promise<Blob>;
}
declare const ImageCapture: (new (track: MediaStreamTrack) => Still) | undefined;

export class Camera {
  private stream?: MediaStream;
  private still?: Still;

  constructor(private readonly video: HTMLVideoElement) {}

  async open(): Promise<Denial | undefined> {
    if (this.isOpen) return undefined;
    if (!navigator.mediaDevices) return "insecure";
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: 4096 }, height: { ideal: 3072 } },
      });
    } catch (error) {
      return error instanceof DOMException && error.name === "NotAllowedError" ? "allow" : "none";
    }
    const [track] = this.stream.getVideoTracks();
    this.still = typeof ImageCapture === "function" && track ? new ImageCapture(track) : undefined;
    this.video.srcObject = this.stream;
    await this.video.play();
    return undefined;
  }

  get isOpen(): boolean {
    return this.stream?.active ?? false;
  }

  close(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = undefined;
  }

  // As large as the camera can; where the browser cannot, the frame that is shown.
  async take(): Promise<Blob> {
    try {
      if (this.still) return await this.still.takePhoto();
    } catch {
      this.still = undefined;
    }
    const canvas = document.createElement("canvas");
    canvas.width = this.video.videoWidth;
    canvas.height = this.video.videoHeight;
    canvas.getContext("2d")!.drawImage(this.video, 0, 0);
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", 0.92);
    });
  }

  // What would be said of a picture now; its size is the still camera's affair.
  fault(): Fault | undefined {
    const { videoWidth: width, videoHeight: height } = this.video;
    return width ? faultOf(greyOf(this.video, width, height, 320), THRESHOLDS.longSide) : undefined;
  }
}
