import { expect, test } from "vitest";
import { distance, reach, shapes } from "./distance.ts";

test.each(shapes.map((name, shape) => [name, shape] as const))(
  "%s has area 1.8 and lies within its reach",
  (_, shape) => {
    const step = 0.005;
    let area = 0;
    let farthest = 0;
    for (let x = -1.3; x < 1.3; x += step) {
      for (let y = -1.3; y < 1.3; y += step) {
        if (distance(shape, x, y) >= 0) continue;
        area += step * step;
        farthest = Math.max(farthest, Math.hypot(x, y));
      }
    }
    expect(Math.abs(area - 1.8)).toBeLessThan(0.03);
    expect(farthest).toBeLessThanOrEqual(reach[shape]);
    expect(farthest).toBeGreaterThan(reach[shape] - 0.02);
  },
);

test.each(shapes.map((name, shape) => [name, shape] as const))(
  "%s: |distance(p) - distance(q)| <= |p - q|",
  (_, shape) => {
    const step = 0.04;
    for (let x = -1.5; x < 1.5; x += step) {
      for (let y = -1.5; y < 1.5; y += step) {
        const here = distance(shape, x, y);
        expect(Math.abs(distance(shape, x + step, y) - here)).toBeLessThanOrEqual(step + 1e-9);
        expect(Math.abs(distance(shape, x, y + step) - here)).toBeLessThanOrEqual(step + 1e-9);
      }
    }
  },
);
