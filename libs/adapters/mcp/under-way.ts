/** Counts what is under way, for those who wait until nothing is. */
export class UnderWay {
  private count = 0;
  private idle: (() => void) | undefined;

  get size(): number {
    return this.count;
  }

  begin(): void {
    this.count++;
  }

  end(): void {
    if (--this.count === 0) this.idle?.();
  }

  /** Resolves when nothing is under way, or after this time. For one who waits. */
  async none(withinMs: number): Promise<void> {
    if (this.count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
