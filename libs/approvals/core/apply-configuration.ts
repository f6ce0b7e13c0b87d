import type { HoldfastConfig } from '#libs/contracts';
import type { ConfigRevision, ConfigurationStore } from '#libs/ports';
import { planRevision } from './plan-revision.ts';

const MAX_ATTEMPTS = 5;

/** Puts a configuration in force unless it already is; races with others are decided by the store, one revision after the other. */
export async function applyConfiguration(store: ConfigurationStore, config: HoldfastConfig, source: 'start' | 'api', digestOf: (text: string) => string): Promise<ConfigRevision> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const previous = await store.latest();
    const plan = planRevision(previous, config, source, digestOf);
    if (!plan) return previous!;
    const applied = await store.apply(plan.next, previous?.revision ?? null, source, plan.events);
    if (applied) return applied;
  }
  throw new Error(`the configuration changed ${MAX_ATTEMPTS} times while this one was being applied`);
}
