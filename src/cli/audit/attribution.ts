import fs from 'node:fs';
import path from 'node:path';
import { isOverreadError, OverreadError } from '../../errors.ts';
import { auditAttribution, type AttributedPicture, type AttributionAudit } from '../../evaluation/attribution/audit.ts';
import { perturbationCurves } from '../../evaluation/attribution/curves.ts';
import { cornersOf, outsideOf, type Region } from '../../evaluation/attribution/regions.ts';
import { regionShare, type RegionShare } from '../../evaluation/attribution/shares.ts';
import type { AuditedPicture } from '../../evaluation/site-audit/audited.ts';
import type { Image } from '../../image/image.ts';
import { checkRequest, type SaliencyRequest } from '../../tasks/saliency/index.ts';
import { openFile } from '../image-inputs.ts';
import type { ExplainingRunner, ModelRunner } from '../model-runner.ts';
import type { OpenedPicture } from './sources.ts';

export interface AttributionOptions {
  readonly runner: ExplainingRunner;
  readonly request: SaliencyRequest;
  /** A model of masks: what it finds is a region. */
  readonly inside?: ModelRunner;
  /** Folder of masks, a PNG a picture, with its name. */
  readonly masks?: string;
  /** Of how many pictures insertion and deletion curves are made. */
  readonly curves: number;
}

/** Asks where a score came from in one picture after the other; of each map only numbers stay. */
export class Attribution {
  readonly #pictures: AttributedPicture[] = [];
  #empty = 0;

  /** @throws OverreadError `config/invalid` for a label that the model has not; `device/unavailable` for a method that wants derivatives, on WebAssembly */
  constructor(private readonly options: AttributionOptions) {
    const { runner, request } = options;
    checkRequest(request, runner.manifest);
    if (runner.device.backend !== 'wasm' || request.method === 'occlusion') return;
    throw new OverreadError('device/unavailable', `Expected a device with derivatives for ${request.method}, got WebAssembly (${runner.device.reason}). Choose --method occlusion, which works there, or --backend cpu, plain JavaScript, which takes minutes.`, { expected: ['webgpu', 'cpu'], got: 'wasm' });
  }

  /** @throws OverreadError as {@link ExplainingRunner.explain} */
  async look(opened: OpenedPicture, { id, patient, groups, truths, scores }: AuditedPicture): Promise<void> {
    const { runner, request, curves } = this.options;
    const { target } = request;
    const { image } = opened;
    const [map] = await runner.explain([image], request);
    const probability = scores?.[target]?.probability ?? (await this.#score(image));
    const regions = await this.#regions(opened, id);
    const shares: Record<string, RegionShare> = {};
    for (const [name, region] of Object.entries(regions)) {
      const share = regionShare(map!.values, region);
      if (share) shares[name] = share;
    }
    if (Object.keys(shares).length === 0) {
      this.#empty++;
      return;
    }
    const { randomisation } = map!.saliency;
    const perturbed = this.#pictures.length < curves ? await perturbationCurves(image, map!.values, of => this.#score(of)) : undefined;
    this.#pictures.push({
      id, patient, groups, probability, shares, ...(truths[target] !== undefined && { truth: truths[target] }),
      ...('similarity' in randomisation && { randomisation: { similarity: randomisation.similarity, suspicious: randomisation.suspicious } }), ...(perturbed && { curves: perturbed }),
    });
  }

  finish(): AttributionAudit {
    const { target, method } = this.options.request;
    return auditAttribution(this.#pictures, target, method, this.#empty);
  }

  async #score(image: Image): Promise<number> {
    const { runner, request: { target } } = this.options;
    const result = await runner.run([image]);
    const score = result.kind === 'scores' ? result.scores.find(of => of.target.label === target) : undefined;
    if (!score) throw new OverreadError('internal', `Expected a score of ${target} from ${runner.identity.id}, got none. Please report this.`);
    return score.probability;
  }

  async #regions({ image, mask }: OpenedPicture, id: string): Promise<Record<string, Region>> {
    const { inside, masks } = this.options;
    const around = outsideOf(image);
    const given = (await mask?.()) ?? (masks === undefined ? undefined : await maskIn(masks, image, id));
    const found = inside && (await this.#inside(inside, image));
    return {
      corners: cornersOf(image), ...(around && { 'outside the body': around.outside }), ...(around?.marks.includes(1) && { 'marks outside the body': around.marks }),
      ...(given && { mask: regionOf(given, image, id) }), ...(found && { [`inside, by ${inside.identity.id}`]: found }),
    };
  }

  /** Nothing where that model refuses the picture, or finds nothing. */
  async #inside(inside: ModelRunner, image: Image): Promise<Region | undefined> {
    try {
      const result = await inside.run([image]);
      if (result.kind !== 'labelmap') throw new OverreadError('cli/usage', `Expected a model of masks for --inside, got ${result.kind} from ${inside.identity.id}. Choose one that segments.`, { expected: 'labelmap', got: result.kind });
      const region = result.labels.map(label => Number(label > 0));
      return region.includes(1) ? region : undefined;
    } catch (error) {
      if (isOverreadError(error) && error.code.startsWith('input/')) return undefined;
      throw error;
    }
  }
}

/** The mask that has the picture's name: of a file its own, else its id. */
async function maskIn(folder: string, image: Image, id: string): Promise<Image | undefined> {
  const [source] = image.sources;
  const names = [source && 'file' in source ? path.parse(source.file).name : undefined, source && 'sopInstanceUID' in source ? source.sopInstanceUID : undefined, path.parse(id).name];
  const file = names.flatMap(name => (name === undefined ? [] : path.join(folder, `${name}.png`))).find(name => fs.existsSync(name));
  return file === undefined ? undefined : openFile(file);
}

function regionOf({ pixels, shape, channels }: Image, image: Image, id: string): Region {
  if (channels !== 1 || shape[0] !== image.shape[0] || shape[1] !== image.shape[1]) {
    throw new OverreadError('dataset/invalid', `Expected a grey mask of ${image.shape[0]} × ${image.shape[1]} pixels for ${id}, got ${shape[0]} × ${shape[1]} with ${channels} channel(s). Mend the mask.`, { expected: image.shape, got: shape });
  }
  return Uint8Array.from(pixels, value => Number(value > 0));
}
