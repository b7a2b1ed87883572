// Where one picture lies within another area that shows it whole, with bars where the forms differ.

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Size {
  readonly left: number;
  readonly top: number;
}

export function fitted(inner: Size, outer: Rect): Rect {
  const scale = Math.min(outer.width / inner.width, outer.height / inner.height);
  const [width, height] = [inner.width * scale, inner.height * scale];
  return {
    ...{ width, height },
    left: outer.left + (outer.width - width) / 2,
    top: outer.top + (outer.height - height) / 2,
  };
}

/**
 * Where the combined picture of two cameras lies on the stage: the video is fitted into the stage by the browser, and the
 * combined picture into the video by the server. Undefined while one of them has no size.
 */
export function canvasOnStage(stage: Size, video: Size, canvas: Size): Rect | undefined {
  if ([stage, video, canvas].some(({ width, height }) => !(width > 0 && height > 0))) return undefined;
  return fitted(canvas, fitted(video, { left: 0, top: 0, ...stage }));
}
