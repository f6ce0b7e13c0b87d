export interface BearerProxy {
  readonly url: string;
  readonly stop: () => Promise<void>;
}
export function startBearerProxy(target: string, token: string): Promise<BearerProxy>;
