"""A widget seen in every way: each panel, narrow and wide, in each theme of JupyterLab; and axe-core, which looks for faults."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

from stylewidgets.bench.browser import Notebook

AXE = Path(__file__).parents[1] / "js" / "node_modules" / "axe-core" / "axe.min.js"
ROOT = ".sw-explorer"
"""Every widget of ours is one of these; a second may stand inside, opened from a cell."""

WIDTHS = (1400, 1000, 420)
THEMES = {
    "light": "JupyterLab Light",
    "dark": "JupyterLab Dark",
    "contrast": "JupyterLab Dark High Contrast",
}

TABS = """(root) => [...document.querySelector(root).querySelectorAll('[role=tab]')]
  .filter((tab) => tab.offsetParent !== null).map((tab) => tab.dataset.name)"""
MENU = """([root, menu]) => [...document.querySelector(root).querySelectorAll('[role=tabpanel] select')]
  .map((select) => [...select.options].map((option) => option.text)).find((texts) => texts.includes(menu)) ?? []"""

CUT_OFF = """(root) => {
  // What reaches beyond the cell, or has more text than room.
  const top = document.querySelector(root), found = [];
  const right = top.closest('.jp-OutputArea-output').getBoundingClientRect().right + 3; // ipywidgets' own margin
  const scrolls = (n) => n && n !== top && (/auto|scroll/.test(getComputedStyle(n).overflowX) || scrolls(n.parentElement));
  for (const node of top.querySelectorAll('*')) {
    const box = node.getBoundingClientRect(), style = getComputedStyle(node);
    // What is 1 px or clipped to nothing is for those who listen.
    if (box.width < 2 || style.visibility === 'hidden' || style.clipPath !== 'none' || style.clip !== 'auto') continue;
    if (node.closest('.sw-map')) continue; // endless, and cut at its edge
    const name = `${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`;
    if (box.right > right && !scrolls(node)) found.push(`${Math.ceil(box.right - right)} px beyond the cell: ${name}`);
    const label = node.matches('button, .widget-label, .widget-readout');
    if (label && node.scrollWidth > node.clientWidth + 1) found.push('cut off: ' + name);
  }
  return found; }"""

FAULTS = """async (root) => {
  const found = await axe.run(root, { resultTypes: ['violations'], iframes: false });
  return found.violations.filter((fault) => ['serious', 'critical'].includes(fault.impact)).flatMap((fault) =>
    fault.nodes.map((node) => {
      const data = node.any[0]?.data, why = data?.contrastRatio
        ? `${data.contrastRatio} : 1, ${data.fgColor} on ${data.bgColor}` : fault.help;
      return `${fault.impact} ${fault.id}: ${node.html.slice(0, 160)} (${why})`; })); }"""


class Look(NamedTuple):
    """One picture to be taken."""

    panel: str
    width: int
    theme: str


def looks(panels: list[str], *, all_of_them: bool) -> Iterator[Look]:
    """Yield every combination, theme by theme; or as few as show every panel once and every width in every theme once."""
    ways = [(width, theme) for theme, width in product(THEMES, WIDTHS)]
    if all_of_them:
        yield from (Look(panel, *way) for way in ways for panel in panels)
    else:
        rounds = max(len(panels), len(ways))
        pairs = [(panels[i % len(panels)], ways[i % len(ways)]) for i in range(rounds)]
        yield from (Look(panel, *way) for panel, way in sorted(pairs, key=lambda pair: ways.index(pair[1])))


class Stage:
    """A notebook with one widget in it, shown in one way after the other."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.page.locator(ROOT).first.wait_for()
        if AXE.exists():
            self.page.evaluate(AXE.read_text())

    def panels(self, menu: str = "") -> list[str]:
        """The names of all panels. One that has a menu of others, known by an entry of it, is "panel / entry" for each."""
        for more in self.page.locator(f"{ROOT} .sw-more:visible").all():
            more.click()
        found: list[str] = []
        for name in self.page.evaluate(TABS, ROOT):
            self._open(name)
            entries = self.page.evaluate(MENU, [ROOT, menu]) if menu else []
            found += [f"{name} / {entry}" for entry in entries] or [name]
        return found

    def show(self, look: Look) -> None:
        """Bring a panel into sight, in this width and theme, and wait until it is there."""
        self.page.set_viewport_size({"width": look.width, "height": 1700})
        # On a narrow screen nobody keeps the file browser open.
        side = "collapseLeft" if look.width < 600 else "expandLeft"
        self.page.evaluate(f"() => window.jupyterapp.shell.{side}()")
        self.page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme }).then(() => null)",
            THEMES[look.theme],
        )
        light = str(look.theme == "light").lower()
        self.page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=light)
        self._open(look.panel)

    def _open(self, panel: str) -> None:
        name, _, entry = panel.partition(" / ")
        self.page.locator(f'{ROOT} [role=tab][data-name="{name}"]').first.click()
        self.rest()
        if entry:
            menus = self.page.locator(f"{ROOT} [role=tabpanel] select:visible")
            menus.filter(has=self.page.get_by_role("option", name=entry, exact=True)).first.select_option(entry)
            self.rest()

    def faults(self) -> list[str]:
        """What axe-core calls serious or critical inside the widget; nothing where axe-core is not installed."""
        return list(self.page.evaluate(FAULTS, ROOT)) if AXE.exists() else []

    def cut_off(self) -> list[str]:
        """What of the widget does not fit."""
        return list(self.page.evaluate(CUT_OFF, ROOT))

    def rest(self) -> None:
        """Wait until the kernel has answered and two animation frames are drawn."""
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
        )
        self.page.wait_for_timeout(400)  # for what fades or is drawn after the answer
