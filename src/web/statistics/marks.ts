// The decisions of the adaptive loop on a chart: a line across it, and above it a sign that says by its shape what it was.
import type uPlot from 'uplot';
import { isUp, type Decision } from './decisions.js';
import type { Shown } from './plot.js';

const radius = 5;
const rise = 9;

export function drawMarks(chart: uPlot, { decisions, marked, palette }: Shown): void {
  const { ctx, bbox } = chart;
  const scale = devicePixelRatio;
  ctx.save();
  for (const decision of decisions) {
    const x = Math.round(chart.valToPos(decision.at / 1000, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const isMarked = decision === marked;
    ctx.strokeStyle = isMarked ? palette.accent : palette.quiet;
    ctx.fillStyle = isMarked ? palette.accent : palette.ink;
    ctx.lineWidth = (isMarked ? 2 : 1) * scale;
    ctx.setLineDash(isMarked ? [] : [scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fill(signOf(decision, x, bbox.top - rise * scale, (isMarked ? radius + 1 : radius) * scale));
  }
  ctx.restore();
}

/** Up, down, or neither. */
function signOf(decision: Decision, x: number, y: number, size: number): Path2D {
  const sign = new Path2D();
  if (decision.kind === 'bitrate') {
    const tip = isUp(decision) ? -size : size;
    sign.moveTo(x, y + tip);
    sign.lineTo(x - size, y - tip);
    sign.lineTo(x + size, y - tip);
  } else {
    sign.moveTo(x, y - size);
    sign.lineTo(x + size, y);
    sign.lineTo(x, y + size);
    sign.lineTo(x - size, y);
  }
  sign.closePath();
  return sign;
}
