/** How long a buffer is needed: from the step that first writes it to the last that reads it. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Arena {
  /** Bytes of each slot, which is a buffer. */
  readonly slots: readonly number[];
  /** Slot of each lifetime. */
  readonly slotOf: readonly number[];
}

/**
 * Gives buffers that are never needed at the same time one slot: the largest first, each into the first slot whose
 * tenants it does not meet (greedy by size, as of Pisarchyk and Lee 2020, arXiv 2001.03288). A slot is a buffer of its own
 * and not a stretch of one, since a dispatch may not read and write the same buffer.
 */
export function arenaOf(lifetimes: readonly Lifetime[]): Arena {
  const slots: { bytes: number; readonly tenants: Lifetime[] }[] = [];
  const slotOf = lifetimes.map(() => -1);
  const bySize = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b);
  for (const i of bySize) {
    const lifetime = lifetimes[i]!;
    let slot = slots.findIndex(({ tenants }) => tenants.every(({ first, last }) => last < lifetime.first || first > lifetime.last));
    if (slot < 0) slot = slots.push({ bytes: lifetime.bytes, tenants: [] }) - 1;
    slots[slot]!.tenants.push(lifetime);
    slotOf[i] = slot;
  }
  return { slots: slots.map(({ bytes }) => bytes), slotOf };
}
