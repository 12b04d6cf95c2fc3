import type { ChestAnatomy, Point3, Tube } from './chest-anatomy.ts';
import type { Random } from './random.ts';

/** A smooth curve through control points (Catmull–Rom), `steps` pieces between neighbours. */
export function smoothCurve(control: readonly Point3[], steps: number): Point3[] {
  const at = (i: number): Point3 => control[Math.max(0, Math.min(control.length - 1, i))]!;
  const out: Point3[] = [];
  for (let i = 0; i < control.length - 1; i++) {
    const [p0, p1, p2, p3] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let s = 0; s < steps; s++) {
      const t = s / steps;
      const blend = (a: number, b: number, c: number, d: number): number =>
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t);
      out.push({ x: blend(p0.x, p1.x, p2.x, p3.x), y: blend(p0.y, p1.y, p2.y, p3.y), v: blend(p0.v, p1.v, p2.v, p3.v) });
    }
  }
  out.push(at(control.length - 1));
  return out;
}

function tube(tissue: Tube['tissue'], points: readonly Point3[], radius: (t: number) => number, weight = 1): Tube {
  const last = points.length - 1;
  return { tissue, points, radii: points.map((_, i) => radius(i / last)), weight };
}

/** All curved structures of a chest: ribs, shoulder girdle, airways, lung vessels, and on a ward film lines and leads. */
export function chestTubes(random: Random, anatomy: ChestAnatomy, options: { supine: boolean; variation: number }): Tube[] {
  const tubes = [...ribs(random, anatomy, options.variation), ...shoulders(random, anatomy, options)];
  tubes.push(...airways(anatomy), ...vessels(random, anatomy));
  if (options.supine && options.variation > 0 && random.chance(0.6)) tubes.push(...wires(random, anatomy));
  return tubes;
}

function ribs(random: Random, anatomy: ChestAnatomy, variation: number): Tube[] {
  const { cavity, spine } = anatomy;
  const drops = [36, 58, 74, 86, 92, 96, 98, 98, 96, 90, 62, 40];
  const reach = [1, 1, 1, 1, 1, 1, 1, 0.97, 0.93, 0.88, 0.62, 0.42];
  const steep = 1 + 0.12 * variation * random.gaussian();
  const out: Tube[] = [];
  for (const side of [-1, 1]) {
    const skew = variation * random.gaussian() * 2;
    for (let k = 0; k < 12; k++) {
      const v0 = 3 + spine.pitchMm * k + skew;
      const points: Point3[] = [];
      const count = 48;
      for (let i = 0; i <= count; i++) {
        const phi = (i / count) * reach[k]!;
        const drop = drops[k]! * steep * (0.98 * phi ** 1.75 - 0.07 * Math.sin(Math.PI * Math.min(1, phi * 2.4)));
        const v = v0 + drop;
        const a = cavity.halfWidth(Math.max(6, v)) + 4;
        const back = cavity.back(v) + 4;
        const front = cavity.front(v) - 4;
        const centre = (front + back) / 2;
        const angle = Math.PI * (0.488 - 0.908 * phi);
        const cos = Math.cos(angle);
        const sin = Math.sin(angle);
        // The first ribs make a much smaller ring than the chest wall at their level.
        const shrink = k === 0 ? 0.94 : 1;
        points.push({
          x: side * Math.max(19, shrink * a * Math.abs(cos) ** 0.8),
          y: centre + ((back - front) / 2) * Math.sign(sin) * Math.abs(sin) ** 0.8,
          v,
        });
      }
      out.push(tube('bone', points, (t) => 6.7 - 1.1 * t, 0.6));
    }
  }
  return out;
}

function shoulders(random: Random, anatomy: ChestAnatomy, options: { supine: boolean; variation: number }): Tube[] {
  const out: Tube[] = [];
  const lift = (options.supine ? -14 : 6) + options.variation * random.gaussian() * 6;
  const w = anatomy.cavity.halfWidthMm;
  const raised = anatomy.arms === 'raised';
  for (const side of [-1, 1]) {
    const jitter = options.variation * random.gaussian() * 3;
    const at = (x: number, y: number, v: number): Point3 => ({ x: side * x, y, v });
    const acromion = at(w + 20, 10, lift - 18 + jitter);
    const clavicle = smoothCurve(
      [at(15, -62, lift + 32), at(44, -66, lift + 22 + jitter), at(w * 0.62, -40, lift + 2 + jitter), at(w - 10, -12, lift - 12 + jitter), acromion],
      12,
    );
    out.push(tube('bone', clavicle, (t) => (t < 0.14 ? 8.6 - 17 * t : 6.2 + 0.8 * t), 0.9));
    // Scapula: lateral and medial borders, spine, coracoid; rolled out of the lungs on a standing PA film.
    const medial = options.supine ? w * 0.66 : w * 0.88;
    const angleOf = at(medial + 6, 70, lift + 136);
    const glenoid = at(w + 24, 22, lift + 26);
    out.push(tube('bone', smoothCurve([at(medial - 4, 66, lift + 6), at(medial - 6, 74, lift + 60), angleOf], 10), () => 2.6, 0.5));
    out.push(tube('bone', smoothCurve([angleOf, at(medial + 26, 52, lift + 84), glenoid], 10), (t) => 3.6 + 3 * t, 0.7));
    out.push(tube('bone', smoothCurve([at(medial - 2, 74, lift + 22), at(w * 0.98, 46, lift + 4), acromion], 10), (t) => 3 + 3 * t, 0.6));
    out.push(tube('bone', smoothCurve([glenoid, at(w + 12, 0, lift + 8), at(w + 4, -16, lift + 10)], 6), () => 5.5, 0.7));
    const head = raised ? at(w + 22, -8, lift + 6) : at(w + 46, 14, lift + 22);
    const elbow = raised ? at(w - 10, -120, lift - 190) : at(w + 78, 18, lift + 330);
    const shaft = smoothCurve([head, at((Math.abs(head.x) * 5 + Math.abs(elbow.x)) / 6, (head.y * 5 + elbow.y) / 6, (head.v * 5 + elbow.v) / 6), elbow], 10);
    out.push(tube('bone', shaft, (t) => (t < 0.1 ? 21 - 70 * t : 13), raised ? 0.3 : 0.55));
    out.push(tube('soft', smoothCurve([at(Math.abs(head.x) + 8, head.y, head.v + 34), elbow], 8), (t) => 44 - 4 * t));
  }
  if (raised) {
    const front = (v: number): number => anatomy.cavity.front(v) - 14;
    const sternum = [20, 50, 90, 130, 165, 190].map((v) => ({ x: 0, y: front(v), v }));
    for (const x of [-9, 0, 9]) out.push(tube('bone', sternum.map((p) => ({ ...p, x })), () => 5.2, 0.55));
  }
  return out;
}

function airways(anatomy: ChestAnatomy): Tube[] {
  const h = anatomy.cavity.heightMm / 212;
  const p = (x: number, y: number, v: number): Point3 => ({ x, y, v: v * h });
  const carina = p(-3, 14, 88);
  return [
    tube('air', smoothCurve([p(0, -14, -130), p(0, -6, -60), p(0, 2, 0), p(-3, 8, 55), carina], 8), (t) => 8.5 - 1.5 * t, 0.58),
    tube('air', smoothCurve([carina, p(-20, 16, 103), p(-36, 18, 122), p(-42, 20, 138)], 6), (t) => 6.6 - 2 * t, 0.7),
    tube('air', smoothCurve([carina, p(16, 17, 105), p(38, 20, 118), p(48, 24, 130)], 6), (t) => 6.2 - 2 * t, 0.7),
  ];
}

/** Arteries and veins, splitting in two until they are too fine to see. */
function vessels(random: Random, anatomy: ChestAnatomy): Tube[] {
  const h = anatomy.cavity.heightMm / 212;
  const out: Tube[] = [];
  const { cavity } = anatomy;
  const grow = (from: Point3, direction: Point3, radius: number, depth: number): void => {
    const length = (10 + 3.2 * radius) * random.uniform(0.75, 1.2);
    const points: Point3[] = [from];
    let at = from;
    let d = direction;
    for (let i = 0; i < 4; i++) {
      d = normalised({ x: d.x + 0.2 * random.gaussian(), y: d.y + 0.2 * random.gaussian(), v: d.v + 0.2 * random.gaussian() });
      at = { x: at.x + (d.x * length) / 4, y: at.y + (d.y * length) / 4, v: at.v + (d.v * length) / 4 };
      points.push(at);
    }
    out.push(tube('vessel', points, (t) => radius * (1 - 0.18 * t)));
    if (Math.abs(at.x) > cavity.halfWidth(at.v) - 4 || at.v < 6 || depth > 13) return;
    const radii = [radius * random.uniform(0.76, 0.88), radius * random.uniform(0.5, 0.75)];
    for (const [i, r] of radii.entries()) {
      if (r < 0.42) continue;
      const turn = i === 0 ? 0.25 : 0.75;
      const spin = { x: random.gaussian() * turn + Math.sign(at.x) * 0.18, y: random.gaussian() * turn, v: random.gaussian() * turn };
      grow(at, normalised({ x: d.x + spin.x, y: d.y + spin.y, v: d.v + spin.v }), r, depth + 1);
    }
  };
  const roots: readonly (readonly [number, number, number, number, number, number])[] = [
    // x, v, direction x, direction v, y of direction, radius
    [-30, 118, -0.75, 0.7, 0.25, 7.2],
    [-34, 112, -0.6, -0.8, 0.1, 5],
    [-34, 128, -0.9, 0.25, -0.4, 4.2],
    [-28, 140, -0.8, 0.5, 0.3, 4.4],
    [36, 110, 0.5, 0.85, 0.35, 6.8],
    [38, 104, 0.6, -0.8, 0.1, 4.8],
    [40, 114, 0.95, 0.15, -0.4, 4.2],
    [-32, 122, -0.95, -0.2, 0.5, 3.8],
    [-26, 146, -0.3, 0.95, 0.5, 4],
    [38, 118, 0.9, -0.25, 0.5, 3.8],
    [34, 126, 0.25, 0.95, 0.5, 4.2],
    [38, 134, 0.8, 0.5, 0.3, 4.2],
  ];
  for (const [x, v, dx, dv, dy, radius] of roots) {
    grow({ x, y: 10, v: v * h }, normalised({ x: dx, y: dy, v: dv }), radius * random.uniform(0.85, 1.1), 0);
  }
  return out;
}

function normalised(p: Point3): Point3 {
  const length = Math.hypot(p.x, p.y, p.v) || 1;
  return { x: p.x / length, y: p.y / length, v: p.v / length };
}

/** A central line and electrode leads lying on the chest. */
function wires(random: Random, anatomy: ChestAnatomy): Tube[] {
  const out: Tube[] = [];
  const w = anatomy.cavity.halfWidthMm;
  const leads = 1 + random.integer(3);
  for (let i = 0; i < leads; i++) {
    const side = random.chance(0.5) ? 1 : -1;
    const end: Point3 = { x: side * random.uniform(40, w), y: -120, v: random.uniform(10, 190) };
    const control = [end];
    for (let k = 1; k < 5; k++) {
      control.push({ x: end.x + side * k * random.uniform(20, 55), y: -120, v: end.v + k * random.uniform(-40, 60) });
    }
    out.push(tube('metal', smoothCurve(control, 12), () => 1.1, 0.16));
    out.push(tube('metal', [{ ...end, x: end.x - 4 }, { ...end, x: end.x + 4 }], () => 5, 0.05));
  }
  const tip = { x: -20, y: -8, v: anatomy.cavity.heightMm * 0.5 };
  const line = [{ x: -70, y: -60, v: -30 }, { x: -48, y: -30, v: 16 }, { x: -24, y: -10, v: 46 }, tip];
  if (random.chance(0.6)) out.push(tube('metal', smoothCurve(line, 12), () => 0.9, 0.2));
  return out;
}
