// The picture in which two cameras are put together: a file of its own, because cameras and layout know each other already.
import { Type } from '@sinclair/typebox';
import { cameraHeadSettings } from './camera.js';
import { defineDerived, type ValueOf } from './define.js';
import { media } from './groups.js';
import { videoRotation } from './image.js';
import { pipLayout } from './pip.js';
import { object, sizeOf } from './schemas.js';

/** The size of the large picture, as it is turned. */
export function canvasOf(
  heads: ValueOf<typeof cameraHeadSettings>,
  { mainSource }: ValueOf<typeof pipLayout>,
  rotation: ValueOf<typeof videoRotation>,
): { readonly width: number; readonly height: number } {
  const { width, height } = sizeOf(heads[mainSource].resolution);
  return rotation === 90 || rotation === 270 ? { width: height, height: width } : { width, height };
}

const side = Type.Integer({ minimum: 0, maximum: 9999 });

export const pipCanvas = defineDerived('pipCanvas', {
  schema: object({ width: side, height: side }),
  title: 'Size of the combined picture',
  description:
    'Of what the parts in the picture-in-picture layout are parts. A stream of another form shows it whole, with black beside it.',
  unit: 'pixels',
  read: media.read,
  from: [cameraHeadSettings, pipLayout, videoRotation],
  compute: canvasOf,
});
