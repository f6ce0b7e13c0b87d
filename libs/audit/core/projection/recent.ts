/** A map that forgets what was longest unused once it holds more than its bound. */
export class Recent<V> {
  private readonly map = new Map<string, V>();

  constructor(private readonly bound: number) {}

  get(key: string): V | undefined {
    const value = this.map.get(key);
    if (value !== undefined) {
      this.map.delete(key);
      this.map.set(key, value);
    }
    return value;
  }

  set(key: string, value: V): void {
    this.map.delete(key);
    this.map.set(key, value);
    if (this.map.size <= this.bound) return;
    for (const oldest of this.map.keys()) {
      this.map.delete(oldest);
      return;
    }
  }
}
