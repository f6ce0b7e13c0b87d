import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Makes the package unpack the libraries that a machine with Node alone does not have. */
const LIBRARIES = 'AWS_Lambda_nodejs20.x';
const UNPACKING_ATTEMPTS = 8;

/** A headless Chromium out of a package; works as root, and needs nothing else. */
export async function launchBrowser(): Promise<Browser> {
  process.env['AWS_EXECUTION_ENV'] ??= LIBRARIES;
  const packaged = (await import('@sparticuz/chromium')).default;
  for (let attempt = 1; ; attempt++) {
    try {
      return await chromium.launch({ executablePath: await packaged.executablePath(), headless: true, args: ['--no-sandbox'], env: { ...process.env } as Record<string, string> });
    } catch (error) {
      // Another worker may be unpacking it right now.
      if (attempt === UNPACKING_ATTEMPTS) throw error;
      await sleep(1_000);
    }
  }
}

export const PHONE = { width: 360, height: 740 } as const;
export const DESK = { width: 1280, height: 900 } as const;

interface Violation {
  readonly id: string;
  readonly impact?: string | null;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What keeps people from using this page, as axe sees it, in both colour schemes and at two widths: serious and critical ones. */
export async function barriers(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  const before = page.viewportSize();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const size of [DESK, PHONE]) {
      await page.setViewportSize(size);
      const { violations } = await page.evaluate<{ violations: readonly Violation[] }>(`(() => { ${AXE}; return axe.run(); })()`);
      for (const { id, impact, nodes } of violations) {
        if (impact !== 'serious' && impact !== 'critical') continue;
        for (const { target, failureSummary } of nodes) found.push(`${colorScheme} ${size.width}: ${id} at ${JSON.stringify(target)}: ${failureSummary ?? ''}`);
      }
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (overflow > 0) found.push(`${colorScheme} ${size.width}: the page is ${overflow} pixels too wide`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
  return found;
}

/** A browser window with its own cookies. */
export function newWindow(browser: Browser, options: { readonly javaScriptEnabled?: boolean } = {}): Promise<BrowserContext> {
  return browser.newContext({ viewport: DESK, ...options });
}
