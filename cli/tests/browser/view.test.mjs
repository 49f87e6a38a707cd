// Looks at pages of `agw view` in headless Chromium: AGW is the program, CHROMIUM the browser, SHOTS where pictures go.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const AGW = resolve(process.env.AGW ?? "../../../target/debug/agw");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=document.title='taken'>";

const folder = mkdtempSync(join(tmpdir(), "agw-view-"));
const shots = process.env.SHOTS && resolve(process.env.SHOTS);
let browser;

before(async () => {
  if (shots) mkdirSync(shots, { recursive: true });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The page of a script played by the simulator, and how many steps its recording has. */
function pageOf(script, name) {
  const recording = join(folder, `${name}.jsonl`);
  const file = join(folder, `${name}.html`);
  execFileSync(AGW, ["sim", script, "--trace", "none", "--record", recording]);
  const said = execFileSync(AGW, ["view", recording, "-o", file], { encoding: "utf8" });
  const [, steps] = said.match(/: ([\d,]+) steps/);
  return { url: pathToFileURL(file).href, steps: Number(steps.replaceAll(",", "")) };
}

/** A script in which the gateway says so many words. */
function longScript(words) {
  const file = join(folder, "long.json");
  const steps = [{ when: "resumed", do: "nothing" }];
  for (let word = 1; word <= words; word += 1) steps.push({ after: 20, do: { text: `word${word} ` } });
  steps.push({ after: 20, do: { end: { reason: "done" } } });
  writeFileSync(file, JSON.stringify({ about: "A long session.", gateway: { steps } }));
  return file;
}

/** Opens a page; `done` fails if anything was complained about, or asked of a network. */
async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  const done = async () => {
    assert.deepEqual(complaints, []);
    await context.close();
  };
  return { page, done };
}

async function shoot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** The number of the chosen step, as the details say it. */
async function chosenStep(page) {
  const title = await page.locator("#details h2").textContent();
  return Number(title.match(/^Step (\d+)/)[1]);
}

test("every step of a recording is there, with its rules and what changed", async () => {
  const { url, steps } = pageOf("cut_and_resumed", "cut");
  const { page, done } = await open(url);
  assert.equal(await page.locator("#steps-count").textContent(), `${steps}`);
  assert.equal(await page.locator(".row").first().getAttribute("aria-setsize"), `${steps}`);
  assert.match(await page.locator("#outcome").textContent(), /completed/);
  assert.ok(Number(await page.locator("#timeline").getAttribute("data-drawn")) > steps);
  await page.locator(".row", { hasText: "connection_closed" }).click();
  const details = await page.locator("#details").textContent();
  for (const part of ["C7", "reconnect_scheduled", "What changed in the state"]) assert.ok(details.includes(part), part);
  await shoot(page, "cut");
  await done();
});

test("a search finds a step, and filters hide kinds", async () => {
  const { url, steps } = pageOf("tool_call", "tool");
  const { page, done } = await open(url);
  await page.keyboard.press("/");
  await page.keyboard.type("tool_result");
  assert.match(await page.locator("#found").textContent(), /^1 of \d+$/);
  await page.locator("#query").fill("rule:T2");
  assert.equal(await page.locator("#found").textContent(), "1 of 1");
  assert.ok((await page.locator("#details").textContent()).includes("tool_result"));
  await page.keyboard.press("Escape");
  await page.locator("#lanes button", { hasText: "Gateway" }).click();
  const [, left] = (await page.locator("#steps-count").textContent()).match(/^(\d+) of/);
  assert.ok(Number(left) < steps && Number(left) > 0);
  assert.equal(await page.locator('.row[data-lane="gateway"]').count(), 0);
  await done();
});

test("the keyboard alone is enough", async () => {
  const { url, steps } = pageOf("result_while_reconnecting", "keys");
  const { page, done } = await open(url);
  assert.equal(await chosenStep(page), 1);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("j");
  assert.equal(await chosenStep(page), 3);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await chosenStep(page), 2);
  await page.keyboard.press("[");
  assert.equal(await chosenStep(page), 1, "what the reply answers");
  await page.keyboard.press("]");
  assert.equal(await chosenStep(page), 2, "what answers the request");
  await page.keyboard.press("End");
  assert.equal(await chosenStep(page), steps);
  await page.keyboard.press("Home");
  assert.equal(await chosenStep(page), 1);
  await page.keyboard.press("?");
  assert.ok(await page.locator("#shortcuts").isVisible());
  await page.keyboard.press("Escape");
  assert.ok(!(await page.locator("#shortcuts").isVisible()));
  // By Tab everything that can be used is reached, and it shows.
  const reached = new Set();
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const { activeElement: element } = document;
      const { outlineStyle } = getComputedStyle(element);
      const selected = element.querySelector('[aria-selected="true"]');
      const shows = outlineStyle !== "none" || (selected !== null && getComputedStyle(selected).boxShadow !== "none");
      return { id: element.id, shows: element === document.body || shows };
    });
    assert.ok(focused.shows, `the focus on #${focused.id} is seen`);
    reached.add(focused.id);
  }
  for (const id of ["query", "theme", "help", "compress", "zoom-in", "list", "details"]) assert.ok(reached.has(id), id);
  await done();
});

test("it is dark where the system is, and as the reader likes it", async () => {
  const { url } = pageOf("good_run", "dark");
  const { page, done } = await open(url, { colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await shoot(page, "dark");
  await page.keyboard.press("t");
  assert.notEqual(await ground(), dark);
  await done();
});

test("ten thousand steps cost no more to draw than those in view", async () => {
  const { url, steps } = pageOf(longScript(10_000), "long");
  assert.ok(steps > 10_000);
  const { page, done } = await open(url);
  assert.equal(await page.locator("#steps-count").textContent(), `${steps}`);
  const drawn = async (id) => Number(await page.locator(`#${id}`).getAttribute("data-drawn"));
  const bounded = async (what) => {
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    for (const [id, most] of [["list", 80], ["timeline", 6_000], ["overview", 6_000]]) {
      const count = await drawn(id);
      assert.ok(count <= most, `${what}: #${id} draws ${count}`);
    }
  };
  await bounded("all of it");
  await shoot(page, "long");
  for (const key of ["+", "+", "+", "End", "PageUp", "Home", "c", "0"]) {
    await page.keyboard.press(key);
    await bounded(`after ${key}`);
  }
  await page.locator("#query").fill("word9999");
  assert.equal(await page.locator("#found").textContent(), "1 of 1");
  assert.ok((await page.locator("#details").textContent()).includes("word9999"));
  await done();
});

test("printed it is a list to be read", async () => {
  const { url, steps } = pageOf("stop_mid_stream", "print");
  const { page, done } = await open(url);
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#printed tbody tr").count(), steps);
  assert.ok(await page.locator("#printed").isVisible());
  assert.ok(!(await page.locator("#timeline").isVisible()));
  await shoot(page, "print");
  await done();
});

test("what a model says is never run", async () => {
  const script = join(folder, "hostile.json");
  const steps = [{ when: "resumed", do: { text: HOSTILE } }, { after: 20, do: { end: { reason: "done" } } }];
  writeFileSync(script, JSON.stringify({ about: "A hostile model.", gateway: { steps } }));
  const { url } = pageOf(script, "hostile");
  const { page, done } = await open(url);
  await page.locator(".row", { hasText: "stream_chunk" }).click();
  await page.locator("#details summary").first().click();
  // What is opened is written a moment after.
  await page.waitForFunction(() => document.querySelector("#details pre").textContent.includes("onerror"));
  assert.equal(await page.title(), "hostile.jsonl · agw view");
  assert.equal(await page.locator("img").count(), 0);
  await done();
});
