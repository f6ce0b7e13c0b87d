/**
 * Latencies in microseconds, in buckets that are one apart up to 256 and then 128 to each power of two: any percentile is less than
 * 0.8 % too high, whatever the range, in a fixed 28 KiB. Values beyond half an hour count as half an hour.
 */
const PRECISION_BITS = 7;
const LINEAR = 1 << (PRECISION_BITS + 1);
const MAX_VALUE = 2 ** 31 - 1;
const BUCKETS = bucketOf(MAX_VALUE) + 1;

export class Histogram {
  private readonly counts = new Float64Array(BUCKETS);
  private total = 0;
  private sum = 0;
  private largest = 0;

  record(microseconds: number): void {
    const value = Math.min(MAX_VALUE, Math.max(0, Math.round(microseconds)));
    const bucket = bucketOf(value);
    this.counts[bucket] = this.counts[bucket]! + 1;
    this.total += 1;
    this.sum += value;
    if (value > this.largest) this.largest = value;
  }

  get count(): number {
    return this.total;
  }

  get max(): number {
    return this.largest;
  }

  get mean(): number {
    return this.total === 0 ? 0 : this.sum / this.total;
  }

  /** The smallest value such that at least `percent` of all values are not above it, rounded up to its bucket's end. */
  percentile(percent: number): number {
    if (this.total === 0) return 0;
    const wanted = Math.max(1, Math.ceil((percent / 100) * this.total));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= wanted) return Math.min(this.largest, endOf(bucket));
    }
    return this.largest;
  }
}

function bucketOf(value: number): number {
  if (value < LINEAR) return value;
  const power = 31 - Math.clz32(value) - PRECISION_BITS;
  return (power << PRECISION_BITS) + (value >>> power);
}

/** The largest value that falls into a bucket. */
function endOf(bucket: number): number {
  if (bucket < LINEAR) return bucket;
  const power = (bucket >>> PRECISION_BITS) - 1;
  return ((bucket - (power << PRECISION_BITS) + 1) * 2 ** power) - 1;
}
