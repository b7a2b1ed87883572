// A person at the web page: a page of Chromium that keeps what it asked for, and everything that went wrong in it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { passwordOf } from './runningServer.js';

const axeScript = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const patienceMs = 8000;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

export class WebPage {
  readonly page: Page;
  readonly requests: string[] = [];
  readonly faults: string[] = [];
  readonly #url: string;

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('pageerror', (error) => this.faults.push(error.message));
    page.on('console', (message) => {
      // What could not be fetched is the matter of each test; the browser reports it here too.
      if (
        message.type() === 'error' &&
        !/^(?:Failed to load resource|WebSocket connection)/.test(message.text())
      )
        this.faults.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WebPage> {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    context.setDefaultTimeout(patienceMs);
    const page = new WebPage(await context.newPage(), url);
    await page.page.goto(url);
    return page;
  }

  /** The same, logged in. */
  static async openAs(
    browser: Browser,
    url: string,
    username: string,
    options?: BrowserContextOptions,
  ): Promise<WebPage> {
    const page = await WebPage.open(browser, url, options);
    await page.logIn(username);
    await page.page.getByRole('navigation').first().waitFor();
    return page;
  }

  async logIn(username: string, password = passwordOf(username)): Promise<void> {
    await this.page.locator('#username').fill(username);
    await this.page.locator('#password').fill(password);
    await this.page.keyboard.press('Enter');
  }

  /** By its address, as a bookmark does. */
  async go(place: string): Promise<void> {
    await this.page.goto(`${this.#url}/#/${place}`);
  }

  setting(key: string): Locator {
    return this.page.locator(`[data-setting="${key}"]`);
  }

  /** What axe finds wrong, in words; empty where all is well. */
  async accessibilityFaults(): Promise<string[]> {
    await this.page.evaluate(axeScript);
    const violations = await this.page.evaluate<Violation[]>(
      `axe.run({ runOnly: ${JSON.stringify(rules)} }).then(({ violations }) => violations)`,
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary = '' }) => `${id}: ${html}\n${failureSummary}`),
    );
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
