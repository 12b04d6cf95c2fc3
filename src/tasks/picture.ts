import type { Image } from '../image/image.ts';
import type { View, ViewSource } from '../image/view.ts';
import type { OutOfDistribution } from '../results/result.ts';

/** An image as a task gets it: with what is known of its view, and what the model's gate says of it. */
export interface Picture {
  readonly image: Image;
  readonly view?: View;
  readonly viewFrom?: ViewSource;
  /** Absent where the model has no gate. */
  readonly verdict?: OutOfDistribution;
}
