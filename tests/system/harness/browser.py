"""Headless Chromium of the distribution, as a person would use it, and what a person would complain about."""

import os
import shutil
import tempfile
import time

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    AVAILABLE = shutil.which("chromium") is not None and shutil.which("chromedriver") is not None
except ImportError:
    AVAILABLE = False

PATIENCE_SECONDS = 30
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", "--force-color-profile=srgb", "--hide-scrollbars",
         "--lang=en-GB", "--window-size=1280,900")

# Elements as a reader of screens meets them; each complaint is a sentence.
COMPLAINTS = """
const complaints = [];
const visible = (element) => element.checkVisibility({visibilityProperty: true});
const nameOf = (element) => {
  const labelled = element.getAttribute('aria-labelledby');
  if (labelled) return labelled.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
  return (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent ?? '').trim();
};
const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);
if (all('h1').length !== 1) complaints.push(`${all('h1').length} headings of the first level`);
if (!document.documentElement.lang) complaints.push('no language');
for (const landmark of ['main', 'header']) if (all(landmark).length !== 1) complaints.push(`${all(landmark).length} times ${landmark}`);
for (const nav of all('nav')) if (!nameOf(nav) || !nav.hasAttribute('aria-label')) complaints.push('a navigation without a name');
for (const input of all('input:not([type=hidden]), select, textarea')) {
  if (!(input.labels?.length > 0 || input.getAttribute('aria-label'))) complaints.push(`an input without label: ${input.outerHTML}`);
}
for (const element of all('button, a[href], summary')) if (!nameOf(element)) complaints.push(`without a name: ${element.outerHTML}`);
for (const image of all('img')) if (!image.hasAttribute('alt')) complaints.push('an image without alt');
for (const drawing of all('svg')) {
  if (drawing.getAttribute('aria-hidden') !== 'true' && !(drawing.getAttribute('role') === 'img' && drawing.getAttribute('aria-label'))) complaints.push(`a drawing without words: ${drawing.outerHTML.slice(0, 80)}`);
}
for (const table of all('table')) if (!table.caption?.textContent) complaints.push('a table without caption');
if (document.querySelector('form form')) complaints.push('a form within a form');
let level = 1;
for (const heading of all('h1, h2, h3, h4')) {
  const own = Number(heading.tagName[1]);
  if (own > level + 1) complaints.push(`"${heading.textContent}" skips a level`);
  level = own;
}
const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) complaints.push(`two elements are called ${id}`);
for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby]')) {
  for (const id of `${element.getAttribute('aria-describedby') ?? ''} ${element.getAttribute('aria-labelledby') ?? ''}`.trim().split(/ +/)) {
    if (!document.getElementById(id)) complaints.push(`${id} is referred to and is not there`);
  }
}
for (const element of all('button, input:not([type=hidden]), select, .pages a')) {
  const box = element.getBoundingClientRect();
  if (box.height < 24 || box.width < 24) complaints.push(`too small to hit: ${element.outerHTML.slice(0, 80)}`);
}
if (document.documentElement.scrollWidth > innerWidth) {
  const wide = [...document.querySelectorAll('main *')].filter((element) => element.getBoundingClientRect().right > innerWidth + 1);
  complaints.push(`wider than the window by ${document.documentElement.scrollWidth - innerWidth}: ${wide.slice(0, 3).map((element) => element.outerHTML.slice(0, 80))}`);
}
return complaints;
"""


class Browser:
    """One window. `downloads` is where it saves files."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="leither-browser-")
        self.downloads = os.path.join(self.profile, "downloads")
        os.mkdir(self.downloads)
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in (*FLAGS, f"--user-data-dir={self.profile}/profile"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": self.downloads})
        self.driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        self.driver.set_script_timeout(PATIENCE_SECONDS)

    def end(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    # ---- Going about ---------------------------------------------------------------------------------

    def open(self, url):
        self.driver.get(url)

    def go(self, route):
        """Another page of the dashboard, drawn to its end."""
        self.driver.execute_script("location.hash = arguments[0]", f"#/{route}")
        self.wait(lambda: self.driver.execute_script(
            "return document.body.dataset.route === arguments[0] && !document.querySelector('#page [aria-busy=true]') && document.querySelector('#page').childElementCount > 0",
            f"#/{route}"), f"{route} is not drawn")

    def wait(self, reached, complaint, seconds=PATIENCE_SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            try:
                value = reached()
                if value:
                    return value
            except WebDriverException:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"{complaint} after {seconds} s; the page says:\n{self.text('body')}\n{self.console()}")
            time.sleep(0.05)

    def wait_for_text(self, text, selector="body", seconds=PATIENCE_SECONDS):
        self.wait(lambda: text in self.text(selector), f"{text!r} is not shown", seconds)

    def text(self, selector="#page"):
        """What is to be read there, hidden words included, with plain spaces."""
        texts = self.driver.execute_script("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector)
        return "\n".join(texts).replace("\u202f", " ").replace("\u00a0", " ")

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def field(self, label, within="main"):
        """The control with that label."""
        found = self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0] + ' label')].find((e) => e.textContent === arguments[1])?.control", within, label)
        if found is None:
            raise AssertionError(f"no field {label!r}:\n{self.text()}")
        return found

    def fill(self, label, text, within="main"):
        control = self.field(label, within)
        if control.tag_name == "select":
            control.send_keys(text)
            return
        control.clear()
        control.send_keys(text)

    def press(self, name, within="main"):
        """The first button or link of that name."""
        found = self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0] + ' button, ' + arguments[0] + ' a, ' + arguments[0] + ' summary')]"
            ".find((e) => (e.getAttribute('aria-label') ?? e.textContent).trim() === arguments[1])", within, name)
        if found is None:
            raise AssertionError(f"no button {name!r}:\n{self.text()}")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
        found.click()

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def run_async(self, script, *arguments):
        """`script` ends by calling done(value)."""
        return self.driver.execute_async_script(f"const done = arguments[arguments.length - 1]; {script}", *arguments)

    # ---- How it looks ---------------------------------------------------------------------------------

    def emulate(self, width=1280, height=900, scheme="light", scale=1):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 700})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def screenshot(self, path):
        """The whole page, also what one has to scroll to."""
        self.run("window.scrollTo(0, 0)")
        self.driver.save_screenshot(path)

    # ---- What it complains about -----------------------------------------------------------------------

    def console(self):
        """Warnings and errors since the last call, those of violated policies included."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def complaints(self):
        return self.run(COMPLAINTS)
